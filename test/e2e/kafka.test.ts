import path from "node:path";
import { loadSync } from "protobufjs";
import { Chain, type Placed } from "../support/chain";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { describeWithKafka, readTopic, startTestKafka, type TestKafka } from "../support/kafka";
import { heardOf, PlainListener } from "../support/listener";

const TIMEOUT_MS = 40_000;
const STOP_MS_MAX = 5_000;
const Event = loadSync(path.resolve(__dirname, "../../proto/forno/events/v1/events.proto")).lookupType(
  "forno.events.v1.Event",
);

interface Health {
  readonly status: string;
  readonly checks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describeWithKafka("Forno with Kafka", () => {
  let kafka: TestKafka;
  let forno: FornoUnderTest;
  let chain: Chain;
  let branch_id: string;
  let desk: PlainListener;

  beforeAll(async () => {
    kafka = await startTestKafka();
    forno = await FornoUnderTest.started({ KAFKA_BROKERS: kafka.server.brokers, LOG_LEVEL: "info" });
    chain = await Chain.of(forno);
    branch_id = await chain.openBranch();
    desk = new PlainListener(forno.port, `/api/v1/erp/ws?access_token=${chain.admin}`);
    await heardOf(desk, "ready");
  });
  afterAll(async () => {
    desk.close();
    await forno.remove();
    await kafka.stop();
  });

  const health = async (): Promise<Health> => {
    const { status, body } = await forno.askOps("/api/v1/health");
    expect(status).toBe(200);
    return body as unknown as Health;
  };

  /** An order that the desk hears of. */
  async function order(): Promise<Placed> {
    const placed = await chain.placed(chain.wish({ branch_id }));
    await eventually(() => {
      expect(
        desk.heard.some(({ type, data }) => type === "order:created" && data["order_id"] === placed.order_id),
      ).toBe(true);
    });
    return placed;
  }

  async function byKafka(): Promise<void> {
    await eventually(async () => {
      await order();
      const { status, checks } = await health();
      expect(checks["event_feed"]).toMatchObject({
        status: "up",
        source: "kafka",
        choice: "auto",
        joined: true,
      });
      expect(checks["kafka"]).toMatchObject({ status: "up" });
      expect(checks["relay"]).toMatchObject({ status: "up", leading: true });
      expect(status).toBe("up");
    }, TIMEOUT_MS);
  }

  test("an order reaches the desk by Kafka, and any other program that has the .proto", async () => {
    await byKafka();
    const { order_id, position } = await order();
    await eventually(async () => {
      expect((await health()).checks["relay"]).toMatchObject({ lag_events: 0 });
    });
    const records = await readTopic(kafka.link({ KAFKA_TOPIC: "pizza-orders" }));
    const mine = records.filter(({ key }) => key?.toString() === order_id);
    expect(mine).toHaveLength(1);
    expect(Event.toObject(Event.decode(mine[0]?.value ?? Buffer.alloc(0)), { longs: Number })).toMatchObject({
      ...{ type: "order.placed", orderPlaced: { orderId: order_id } },
    });
    expect(records.some(({ headers }) => headers?.["position"]?.toString() === String(position))).toBe(true);
  });

  test("metrics tell source, lags and switches", async () => {
    const { body } = await forno.askOps<{ text: string }>("/metrics");
    for (const line of [
      'forno_feed_source{source="kafka"} 1',
      "forno_feed_lag_events 0",
      "forno_relay_leading 1",
      "forno_relay_lag_events 0",
      "forno_feed_switches_total",
      "forno_relay_position",
    ])
      expect(body.text).toContain(line);
  });

  test("it takes orders and shows them while Kafka is dead, hangs and comes back, and says so", async () => {
    await kafka.server.process.kill();
    await order();
    await eventually(async () => {
      const { status, checks } = await health();
      expect(status).toBe("degraded");
      expect(checks["kafka"]).toMatchObject({ status: "down" });
      expect(checks["event_feed"]).toMatchObject({ source: "log" });
    });
    await order();
    await kafka.server.process.start();
    await byKafka();
    kafka.server.process.suspend();
    await order();
    await eventually(async () => {
      expect((await health()).checks["event_feed"]).toMatchObject({ source: "log", status: "degraded" });
      await order();
    });
    kafka.server.process.resume();
    await byKafka();
  });

  test("says little about it, and never what only its client understands", () => {
    const lines = forno.output.split("\n").filter((line) => /kafka|relay|feed/i.test(line));
    expect(lines.length).toBeLessThan(25);
    expect(forno.output).not.toMatch(/kafkajs|TimeoutNegativeWarning|Unhandled/i);
  });

  test("stops in time, also while Kafka hangs, and starts without it", async () => {
    kafka.server.process.suspend();
    await order();
    const begun = performance.now();
    expect(await forno.end()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(STOP_MS_MAX);
    await forno.start();
    expect((await health()).checks["kafka"]).toMatchObject({ status: "down" });
    kafka.server.process.resume();
  });
});
