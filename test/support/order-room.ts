import { randomBytes, randomUUID } from "node:crypto";
import { ServiceBroker, type ServiceSchema } from "moleculer";
import { uuidv7 } from "uuidv7";
import { MemoryTagCache } from "../../mixins/cache-tags/memory-tag-cache";
import type { TagCache } from "../../mixins/cache-tags/tag-cache";
import { LogFeed } from "../../mixins/event-feed/log-feed";
import { createEventLog } from "../../mixins/event-log/postgres-event-log";
import { SYSTEM, type Caller } from "../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../mixins/contract/contract";
import { act } from "../../mixins/contract/implement";
import type { RedisLink } from "../../mixins/redis/redis-link";
import { refusalOf } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import { openBranch } from "../../services/branch/branch.contract";
import { createBranchService } from "../../services/branch/branch.service";
import { seedMenu } from "../../services/menu/menu.seed";
import { createMenuService } from "../../services/menu/menu.service";
import { createOrderService } from "../../services/order/order.service";
import { createQuotaService } from "../../services/quota/quota.service";
import { createSlotService } from "../../services/slot/slot.service";
import { PERSONAL_DATA } from "../../personal-data";
import { loadSettings } from "../../settings";
import { BRANCH, OTHER_BRANCH } from "./orders";
import type { TestDatabase } from "./postgres";

const ROUND_THE_CLOCK = { open: "00:00", close: "24:00" };

const lonelyBroker = (): ServiceBroker =>
  new ServiceBroker({ logger: false, validator: false, skipProcessEventRegistration: true });

/** One node with the rooms that an order goes through, on a test database, at a time that the test sets. */
export class OrderNode {
  now = Date.parse("2026-03-10T09:00:00.000Z");

  private constructor(
    readonly runtime: Runtime,
    private readonly broker: ServiceBroker,
  ) {}

  /** @param with_ what the node has beside: a cache of its own, settings, further rooms. */
  static async start(
    database: TestDatabase,
    broker = lonelyBroker(),
    with_: {
      readonly cache?: TagCache;
      readonly rooms?: readonly ((runtime: Runtime) => ServiceSchema)[];
      /** Limits on what people order are off unless said. */
      readonly env?: Readonly<Record<string, string>>;
      readonly redis?: RedisLink;
    } = {},
  ): Promise<OrderNode> {
    const logger = broker.getLogger("test");
    const log = await createEventLog({ connection: database.connection, logger, personal: PERSONAL_DATA });
    const node: OrderNode = new OrderNode(
      {
        settings: loadSettings({ RATE_LIMIT: "off", ...with_.env }),
        broker,
        log,
        feed: new LogFeed({ log, logger }),
        db: database.db,
        pool: database.pool,
        clock: { now: () => node.now },
        ids: { uuid: () => uuidv7(), token: () => randomBytes(16).toString("base64url") },
        cache: with_.cache ?? new MemoryTagCache(),
        ...(with_.redis === undefined ? {} : { redis: with_.redis }),
      },
      broker,
    );
    const rooms = [
      createBranchService,
      createMenuService,
      createSlotService,
      createQuotaService,
      createOrderService,
    ];
    for (const create of [...rooms, ...(with_.rooms ?? [])]) broker.createService(create(node.runtime));
    await broker.start();
    return node;
  }

  /** Two branches that never close, the first of them the default, and the demo menu. */
  async furnish(): Promise<void> {
    await seedMenu(this.runtime, { id: randomUUID(), fingerprint: "seed" });
    for (const [branch_id, code] of [
      [BRANCH, "K"],
      [OTHER_BRANCH, "L"],
    ] as const) {
      const hours = Object.fromEntries(
        ["1", "2", "3", "4", "5", "6", "7"].map((day) => [day, ROUND_THE_CLOCK]),
      );
      await this.call(openBranch, {
        branch_id,
        code,
        name: { ru: code, en: code },
        address: { ru: code, en: code },
        time_zone: "Asia/Krasnoyarsk",
        is_default: branch_id === BRANCH,
        delivery_fee_minor: 19_900,
        free_delivery_from_minor: 150_000,
        slots: { hours, capacity_minor: 1_000_000, slot_minutes: 15, lead_time_minutes: 30 },
      });
    }
  }

  /** Calls an action as somebody, under an Idempotency-Key if one is given. */
  call<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    caller: Caller = SYSTEM,
    key?: string,
    client_address?: string,
  ): Promise<ResultOf<C>> {
    const command = key === undefined ? {} : { command: { id: key, fingerprint: "same request" } };
    const from = client_address === undefined ? {} : { client_address };
    return act(this.broker, contract, structuredClone(params), { meta: { caller, ...command, ...from } });
  }

  /** The refusal code that a call comes to; "not refused" if none. Faults are thrown on. */
  async refusal(
    contract: ActionContract,
    params: object,
    caller: Caller = SYSTEM,
    key?: string,
  ): Promise<string> {
    try {
      await this.call(contract, params as ParamsOf<ActionContract>, caller, key);
      return "not refused";
    } catch (error) {
      const refused = refusalOf(error);
      if (refused === undefined) throw error;
      return refused.code;
    }
  }

  async stop(): Promise<void> {
    await this.broker.stop();
    await this.runtime.log.close();
  }
}
