import { randomBytes, randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import { uuidv7 } from "uuidv7";
import { MemoryTagCache } from "../../../../mixins/cache-tags/memory-tag-cache";
import type { Caller, CommandIdentity } from "../../../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import { act } from "../../../../mixins/contract/implement";
import { refusalOf, type Refusal } from "../../../../mixins/contract/refusal";
import { LogFeed } from "../../../../mixins/event-feed/log-feed";
import { createEventLog } from "../../../../mixins/event-log/postgres-event-log";
import type { Runtime } from "../../../../mixins/runtime";
import { createMenuService } from "../../../../services/menu/menu.service";
import { loadSettings } from "../../../../settings";
import { QuietLogger } from "../../../support/quiet-logger";
import type { TestDatabase } from "../../../support/postgres";

export const MANAGER: Caller = {
  role: "manager",
  user_id: "01990000-0000-7000-8000-0000000000aa",
  branch_ids: null,
};

/** May give any discount. */
const ADMIN: Caller = { ...MANAGER, role: "super_admin" };

/** A node that runs nothing but the menu, on a clock of the test's own. */
export class MenuNode {
  now = Date.parse("2026-03-02T12:00:00.000Z");

  private constructor(
    readonly runtime: Runtime,
    private readonly close: () => Promise<void>,
  ) {}

  static async start(
    { connection, db, pool }: TestDatabase,
    before: (runtime: Runtime) => Promise<unknown> = async () => {},
    broker = new ServiceBroker({ nodeID: `test-${randomUUID()}`, logger: false, validator: false }),
  ): Promise<MenuNode> {
    const logger = new QuietLogger();
    const log = await createEventLog({ connection, logger });
    const feed = new LogFeed({ log, logger });
    const clock = { now: () => node.now };
    const ids = { uuid: () => uuidv7(), token: () => randomBytes(16).toString("base64url") };
    const cache = new MemoryTagCache();
    const runtime: Runtime = { settings: loadSettings({}), broker, log, feed, db, pool, clock, ids, cache };
    const node: MenuNode = new MenuNode(runtime, async () => {
      await broker.stop();
      await log.close();
    });
    await before(runtime);
    broker.createService(createMenuService(runtime));
    await broker.start();
    return node;
  }

  /** As a super admin, under a command id of its own unless one is given. */
  ask<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    command?: CommandIdentity,
  ): Promise<ResultOf<C>> {
    return act(this.runtime.broker, contract, params, {
      meta: { caller: ADMIN, ...(command === undefined ? {} : { command }) },
    });
  }

  /** The refusal that a call ends with; fails when it succeeds. */
  async refused<C extends ActionContract>(contract: C, params: ParamsOf<C>): Promise<Refusal> {
    try {
      await this.ask(contract, params);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) return refusal;
      throw error;
    }
    throw new Error(`${contract.name} was not refused.`);
  }

  stop(): Promise<void> {
    return this.close();
  }
}

export const freshCommand = (): CommandIdentity => ({ id: randomUUID(), fingerprint: "", fresh: true });
export const keyedCommand = (fingerprint = "same"): CommandIdentity => ({ id: randomUUID(), fingerprint });
