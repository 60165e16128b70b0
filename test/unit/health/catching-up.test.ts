import { ServiceBroker } from "moleculer";
import { UnavailableError, RefusedError, refuse } from "../../../mixins/contract/refusal";
import { untilCaughtUp, type Reader } from "../../../mixins/health/catching-up";
import { healthProbesOf } from "../../../mixins/health/health-probes";

const behind = () => new UnavailableError("feed.behind", "not yet");

/** A reader that comes a step nearer each time that it is asked. */
class SlowReader implements Reader {
  asked = 0;
  position = 0;
  onAsked: (asked: number) => Promise<void> | void = () => undefined;

  constructor(private readonly step: number) {}

  async reached(position: number): Promise<void> {
    this.asked += 1;
    await this.onAsked(this.asked);
    this.position += this.step;
    if (this.position < position) throw behind();
  }
}

function node(head: number) {
  const broker = new ServiceBroker({ logger: false });
  const log = { head: () => Promise.resolve(head) };
  const find = async () => {
    const probe = healthProbesOf(broker)
      .all()
      .find(({ name }) => name === "catching_up");
    return probe?.probe();
  };
  return { broker, log, find };
}

describe("a start that is far behind the log", () => {
  it("waits as long as it takes, and health says how far it is", async () => {
    const { broker, log, find } = node(2_000_000);
    const reader = new SlowReader(10_000);
    let seen: unknown;
    reader.onAsked = async (asked) => {
      if (asked === 100) seen = await find();
    };
    await untilCaughtUp({ broker, log }, "orders", reader);
    expect(reader.asked).toBe(200);
    expect(seen).toMatchObject({ status: "degraded", reader: "orders", position: 990_000, head: 2_000_000 });
    expect((seen as { seconds_left: number }).seconds_left).toBeGreaterThan(0);
    expect(await find()).toEqual({ status: "up" });
  });

  it("waits for a log that does not answer, too", async () => {
    const { broker, log } = node(10);
    const reader = new SlowReader(10);
    reader.onAsked = (asked) => {
      if (asked === 1) throw new UnavailableError("log.unavailable", "away");
    };
    await untilCaughtUp({ broker, log }, "orders", reader);
    expect(reader.asked).toBe(2);
  });

  it("ends where the reader has stopped, or is broken", async () => {
    const { broker, log } = node(10);
    const reader = new SlowReader(1);
    const failures = [new UnavailableError("projection.stopped", "stopped"), new Error("a hole")];
    for (const failure of failures) {
      reader.onAsked = () => {
        throw failure;
      };
      await expect(untilCaughtUp({ broker, log }, "orders", reader)).rejects.toBe(failure);
    }
  });

  it("waits for no position that the log took back meanwhile", async () => {
    let head = 100;
    const { broker } = node(0);
    const reader = new SlowReader(1);
    reader.onAsked = (asked) => {
      if (asked !== 3) return;
      head = 5;
      throw new RefusedError(refuse("invalid", "input.position_unknown", "not known"));
    };
    await untilCaughtUp({ broker, log: { head: () => Promise.resolve(head) } }, "orders", reader);
    expect(reader.position).toBe(5);
  });
});
