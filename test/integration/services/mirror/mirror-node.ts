import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import type { Service, ServiceBroker } from "moleculer";
import { uuidv7 } from "uuidv7";
import { systemClock } from "../../../../boot";
import { entities } from "../../../../entities/entities";
import { redisServer, type RedisServer } from "../../../../fleet/servers/redis-server";
import { healthProbesOf, type HealthFinding } from "../../../../mixins/health/health-probes";
import { RedisLink } from "../../../../mixins/redis/redis-link";
import type { Clock } from "../../../../mixins/runtime";
import { PERSONAL_RECORDS } from "../../../../personal-data";
import { CAMERA_EVENT_TYPES } from "../../../../services/camera/camera.events";
import { createCustomerService } from "../../../../services/customer/customer.service";
import { MARKER_KEY } from "../../../../services/mirror/mirror.keys";
import { MirrorLeader } from "../../../../services/mirror/mirror.leader";
import { createMirrorService } from "../../../../services/mirror/mirror.service";
import { MirrorStore } from "../../../../services/mirror/mirror.store";
import { advanceOrder, cancelOrder, placeOrder } from "../../../../services/order/order.contract";
import { eventually } from "../../../support/eventually";
import { OrderNode } from "../../../support/order-room";
import { manager } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { QuietLogger } from "../../../support/quiet-logger";

/** What one key of the mirror holds, and until when. */
export interface Held {
  readonly value: unknown;
  readonly expires_at_ms: number;
}

/** A node with the rooms of an order, a Redis of its own, and whatever reads and writes there. */
export class MirrorNode {
  readonly logger = new QuietLogger();
  readonly messages: { readonly channel: string; readonly message: { position: number; data: object } }[] =
    [];
  readonly #links: RedisLink[] = [];
  #service: Service | undefined;
  #broker: ServiceBroker | undefined;

  private constructor(
    readonly database: TestDatabase,
    readonly rooms: OrderNode,
    readonly redis: RedisServer,
    /** A foreign program's connection. */
    readonly reader: Redis,
    private readonly subscriber: Redis,
    private readonly folder: string,
  ) {
    subscriber.on("message", (channel, text) => {
      this.messages.push({
        channel,
        message: JSON.parse(text) as MirrorNode["messages"][number]["message"],
      });
    });
  }

  /** With branches and a menu, before the first mirror. */
  static async start(): Promise<MirrorNode> {
    const database = await startTestDatabase({ entities });
    const rooms = await OrderNode.start(database, undefined, {
      rooms: [(runtime) => createCustomerService(runtime, PERSONAL_RECORDS)],
    });
    // Redis forgets by the real clock.
    rooms.now = Date.now();
    await rooms.furnish();
    const folder = mkdtempSync(path.join(tmpdir(), "forno-mirror-"));
    const redis = await redisServer(folder);
    await redis.process.start();
    const connect = (): Redis => {
      const connection = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
      connection.on("error", () => undefined);
      return connection;
    };
    const subscriber = connect();
    await subscriber.subscribe(
      "order:created",
      "order:status:changed",
      "menu:updated",
      ...CAMERA_EVENT_TYPES,
    );
    return new MirrorNode(database, rooms, redis, connect(), subscriber, folder);
  }

  link(): RedisLink {
    const link = new RedisLink(this.redis.url, this.logger);
    this.#links.push(link);
    return link;
  }

  /** @param clock what it decides by; unless a test says otherwise, Redis' own. */
  async startMirror(clock: Clock = systemClock): Promise<void> {
    const { runtime } = this.rooms;
    // Metrics and probes hang on the broker: each mirror has its own, as if its node had been started anew.
    this.#broker = Object.create(runtime.broker) as ServiceBroker;
    const service = createMirrorService({ ...runtime, clock, broker: this.#broker }, this.link());
    this.#service = runtime.broker.createService(service);
    await runtime.broker.waitForServices("mirror", 0, 10);
  }

  async stopMirror(): Promise<void> {
    if (this.#service !== undefined) await this.rooms.runtime.broker.destroyService(this.#service);
    this.#service = undefined;
  }

  /** A writer that obeys no lock: as a leader that does not know yet that it leads no more. */
  anotherLeader(): MirrorLeader {
    const redis = this.link();
    const store = new MirrorStore(redis.client, systemClock);
    return new MirrorLeader({ ...this.rooms.runtime, redis, store, logger: this.logger }, () => uuidv7());
  }

  async place(changes: object = {}): Promise<{ order_id: string; position: number; slot_id: string }> {
    const { order_id, position, slot } = await this.rooms.call(placeOrder, {
      channel: "shop",
      fulfilment: "delivery",
      address: "ул. Мира, 7",
      customer: { name: "Анна", phone: "8 923 123-45-67" },
      payment_method: "card",
      items: [{ name: "Маргарита", quantity: 1 }],
      ...changes,
    });
    return { order_id, position, slot_id: slot.slot_id };
  }

  /** A bit of a day: orders that go different ways. */
  async work(orders: number): Promise<void> {
    await Promise.all(
      Array.from({ length: orders }, async (_, number) => {
        const { order_id } = await this.place();
        if (number % 3 === 0) await this.rooms.call(cancelOrder, { order_id, reason: "передумали" }, manager);
        if (number % 3 === 1)
          for (const status of ["preparing", "cooking", "ready"] as const)
            await this.rooms.call(advanceOrder, { order_id, status }, manager);
      }),
    );
  }

  /** Waits until the mirror is at the head of the log, and says where that is. */
  async level(timeout_ms = 20_000): Promise<number> {
    return eventually(async () => {
      const head = await this.rooms.runtime.log.head();
      expect(await this.reader.hgetall(MARKER_KEY)).toMatchObject({
        state: "following",
        position: String(head),
      });
      return head;
    }, timeout_ms);
  }

  /** Also waits for what cancelled orders give back: commands that come behind. */
  async settled(): Promise<number> {
    await eventually(async () => {
      const { rows } = await this.database.pool.query<{ type: string; count: number }>(
        "select type, count(*)::integer as count from es.event where type in ('order.cancelled', 'slot.released') group by type",
      );
      const count = new Map(rows.map((row) => [row.type, row.count]));
      expect(count.get("slot.released")).toBe(count.get("order.cancelled"));
    });
    return this.level();
  }

  json(key: string): Promise<unknown> {
    return this.reader.get(key).then((text) => (text === null ? null : (JSON.parse(text) as unknown)));
  }

  /** Everything in Redis but the marker, byte by byte, with the time when it will be forgotten. */
  async everything(): Promise<Record<string, Held>> {
    const held: Record<string, Held> = {};
    for (const key of (await this.reader.keys("*")).sort()) {
      if (key === MARKER_KEY) continue;
      const isHash = (await this.reader.type(key)) === "hash";
      const value = isHash ? await this.reader.hgetall(key) : await this.reader.get(key);
      held[key] = { value, expires_at_ms: Number(await this.reader.call("PEXPIRETIME", key)) };
    }
    return held;
  }

  /** What a rebuild makes of an emptied Redis. */
  async rebuilt(): Promise<Record<string, Held>> {
    const generation = await this.reader.hget(MARKER_KEY, "generation");
    await this.reader.flushall();
    await eventually(async () => {
      expect(await this.reader.hget(MARKER_KEY, "generation")).not.toBe(generation);
    });
    await this.level();
    return this.everything();
  }

  async health(): Promise<HealthFinding> {
    const [probe] = this.#broker === undefined ? [] : healthProbesOf(this.#broker).all();
    if (probe?.name !== "redis_mirror") throw new Error("There is no probe redis_mirror.");
    return probe.probe();
  }

  async stop(): Promise<void> {
    await this.stopMirror();
    await this.rooms.stop();
    for (const link of this.#links) await link.close();
    this.reader.disconnect();
    this.subscriber.disconnect();
    await this.redis.process.kill();
    await this.database.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
