import { randomBytes, randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import { uuidv7 } from "uuidv7";
import { MemoryTagCache } from "../../../../mixins/cache-tags/memory-tag-cache";
import { SYSTEM, type Caller } from "../../../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import { act } from "../../../../mixins/contract/implement";
import { refusalOf, type Refusal } from "../../../../mixins/contract/refusal";
import { LogFeed } from "../../../../mixins/event-feed/log-feed";
import { createEventLog } from "../../../../mixins/event-log/postgres-event-log";
import type { Runtime } from "../../../../mixins/runtime";
import { configureSlots, openBranch } from "../../../../services/branch/branch.contract";
import { createBranchService } from "../../../../services/branch/branch.service";
import type { OrderDraft, OrderPlaced } from "../../../../services/order/order.events";
import { placeInSlot, releaseSlot } from "../../../../services/slot/slot.contract";
import { createSlotService } from "../../../../services/slot/slot.service";
import { loadSettings } from "../../../../settings";
import { lineOf } from "../../../support/orders";
import { QuietLogger } from "../../../support/quiet-logger";
import type { TestDatabase } from "../../../support/postgres";

export type Rules = NonNullable<ParamsOf<typeof openBranch>["slots"]>;
type Hours = { open: string; close: string };

export const daily = (
  open: string,
  close: string,
): Record<"1" | "2" | "3" | "4" | "5" | "6" | "7", Hours> => {
  const hours = { open, close };
  return { 1: hours, 2: hours, 3: hours, 4: hours, 5: hours, 6: hours, 7: hours };
};

/** A node that runs branches and slots, on a clock of the test's own; noon of a Monday, UTC. */
export class SlotNode {
  now = Date.parse("2026-03-02T12:00:00.000Z");

  private constructor(
    readonly runtime: Runtime,
    readonly stop: () => Promise<void>,
  ) {}

  static async start({ connection, db, pool }: TestDatabase): Promise<SlotNode> {
    const logger = new QuietLogger();
    const log = await createEventLog({ connection, logger });
    const broker = new ServiceBroker({ nodeID: `test-${randomUUID()}`, logger: false, validator: false });
    const feed = new LogFeed({ log, logger });
    const clock = { now: () => node.now };
    const ids = { uuid: () => uuidv7(), token: () => randomBytes(16).toString("base64url") };
    const cache = new MemoryTagCache();
    const runtime: Runtime = { settings: loadSettings({}), broker, log, feed, db, pool, clock, ids, cache };
    const node: SlotNode = new SlotNode(runtime, async () => {
      await broker.stop();
      await log.close();
    });
    for (const create of [createBranchService, createSlotService]) broker.createService(create(runtime));
    await broker.start();
    return node;
  }

  ask<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    { caller = SYSTEM, key }: { caller?: Caller; key?: string } = {},
  ): Promise<ResultOf<C>> {
    const command = key === undefined ? {} : { command: { id: key, fingerprint: "the same" } };
    return act(this.runtime.broker, contract, structuredClone(params), { meta: { caller, ...command } });
  }

  /** What an action must refuse with. */
  async refused<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    options: { caller?: Caller } = {},
  ): Promise<Refusal> {
    try {
      await this.ask(contract, params, options);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) return refusal;
      throw error;
    }
    throw new Error(`${contract.name} was not refused`);
  }

  /** Opens a branch in UTC, 10:00–22:00, slots of a quarter of an hour for 1 000 ₽, half an hour ahead. */
  async openBranch(rules: Rules = {}): Promise<string> {
    const branch_id = uuidv7();
    await this.ask(openBranch, {
      branch_id,
      code: freshCode(),
      name: { ru: "Центр", en: "Centre" },
      address: { ru: "Мира, 1", en: "Mira 1" },
      time_zone: "UTC",
      slots: {
        hours: daily("10:00", "22:00"),
        capacity_minor: 100_000,
        slot_minutes: 15,
        lead_time_minutes: 30,
        ...rules,
      },
    });
    return branch_id;
  }

  async configure(branch_id: string, rules: Rules): Promise<void> {
    await this.ask(configureSlots, { branch_id, ...rules });
  }

  async place(
    branch_id: string,
    amount: number,
    options: { wish?: string; key?: string } = {},
  ): Promise<OrderPlaced["data"] & { position: number }> {
    const { wish = null, ...call } = options;
    const { placed, position } = await this.ask(
      placeInSlot,
      { draft: draftOf(branch_id, amount, wish) },
      call,
    );
    return { ...placed, position };
  }

  release({
    order_id,
    branch_id,
    business_date,
  }: OrderPlaced["data"]): Promise<ResultOf<typeof releaseSlot>> {
    return this.ask(releaseSlot, { order_id, branch_id, business_date });
  }
}

let codes = 0;
/** Two letters that no other branch of the test file has. */
function freshCode(): string {
  const code = String.fromCharCode(65 + Math.floor(codes / 26), 65 + (codes % 26));
  codes += 1;
  return code;
}

export function draftOf(branch_id: string, amount: number, preferred_time: string | null = null): OrderDraft {
  return {
    order_id: uuidv7(),
    branch_id,
    channel: "shop",
    fulfilment: "pickup",
    address: null,
    customer: { user_id: null, name: null, phone: null },
    payment_method: "cash",
    notes: null,
    currency: "RUB",
    menu_version: 1,
    items: [lineOf(amount)],
    items_total_minor: amount,
    delivery_fee_minor: 0,
    discount_minor: 0,
    total_minor: amount,
    promo_code: null,
    preferred_time,
    track_token: "token",
    placed_at: "2026-03-02T12:00:00.000Z",
  };
}
