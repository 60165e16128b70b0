import { setTimeout as pause } from "node:timers/promises";
import { DateTime } from "luxon";
import { SYSTEM, type Caller } from "../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../mixins/contract/contract";
import { faultOf } from "../mixins/contract/fault";
import { act } from "../mixins/contract/implement";
import { refusalOf } from "../mixins/contract/refusal";
import { derivedUuid } from "../mixins/derived-id";
import type { Runtime } from "../mixins/runtime";
import type { StoryClock } from "./clock";
import { CUSTOMERS } from "./data";
import { chanceOf, plannedDay, targetOf, type PlannedOrder, type SoldAt } from "./orders";
import { getBranch, listBranches } from "../services/branch/branch.contract";
import type { Branch, OpeningHours, WeekHours } from "../services/branch/branch.events";
import { getMenu } from "../services/menu/menu.contract";
import type { MenuDocument } from "../services/menu/menu.events";
import { advanceOrder, cancelOrder, placeOrder } from "../services/order/order.contract";

/** How far a run has come. */
export interface HistoryProgress {
  /** Days of branches. */
  readonly done: number;
  readonly total: number;
  /** Placed or found by this run. */
  readonly orders: number;
  readonly orders_per_s: number;
  readonly seconds_left: number;
}

/** Which past to live through. */
export interface HistoryWish {
  readonly days: number;
  /** Date after the last one, `YYYY-MM-DD`: today, so that nothing happens in the future. */
  readonly before: string;
}

/** Days that are lived through side by side: enough to fill the log's batches, few enough to keep mailboxes short. */
const DAYS_AT_ONCE = 16;
/** Orders of one day that are under way at once; they are placed one after the other, as in life. */
const UNDER_WAY_MAX = 8;
const MINUTE_MS = 60_000;
/** Who orders later gets a slot of the next day. */
const LAST_ORDER_MINUTES = 45;
const FAULTS_MAX = 20;
const FAULT_PAUSE_MS = 250;

type Placed = ResultOf<typeof placeOrder>;
type Status = ParamsOf<typeof advanceOrder>["status"];

/**
 * Lives through past days: orders are placed, cooked and handed over by the same commands as any others, at times of then,
 * and so within the kitchens' capacity. Every command's id is derived from its branch, date and number: a run that was
 * interrupted is taken up by the next one, and a day that is complete is not lived again.
 */
export async function seedHistory(
  runtime: Pick<Runtime, "broker" | "log">,
  clock: StoryClock,
  wish: HistoryWish,
  report: (progress: HistoryProgress) => void = () => undefined,
): Promise<{ readonly orders: number }> {
  const history = new History(runtime, clock, await act(runtime.broker, getMenu, {}));
  const { items } = await act(runtime.broker, listBranches, {});
  const branches = await Promise.all(
    items.map(({ branch_id }) => act(runtime.broker, getBranch, { branch_id })),
  );
  const days = datesOf(wish).flatMap((date) => branches.map((branch) => ({ branch, date })));
  const begun_ms = performance.now();
  const left = days.entries();
  let done = 0;
  const live = async (): Promise<void> => {
    for (const [, { branch, date }] of left) {
      await history.live(branch, date, 1 / branches.length);
      done += 1;
      const seconds = (performance.now() - begun_ms) / 1000;
      const seconds_left = Math.round((seconds / done) * (days.length - done));
      report({
        done,
        total: days.length,
        orders: history.orders,
        orders_per_s: history.orders / seconds,
        seconds_left,
      });
    }
  };
  await Promise.all(Array.from({ length: DAYS_AT_ONCE }, live));
  return { orders: history.orders };
}

/** The dates, oldest first. */
function datesOf({ days, before }: HistoryWish): string[] {
  const end_ms = Date.parse(`${before}T00:00:00Z`);
  return Array.from({ length: days }, (_, at) =>
    new Date(end_ms - (days - at) * 86_400_000).toISOString().slice(0, 10),
  );
}

class History {
  orders = 0;

  constructor(
    private readonly runtime: Pick<Runtime, "broker" | "log">,
    private readonly clock: StoryClock,
    private readonly menu: MenuDocument,
  ) {}

  /** One day of one branch. */
  async live(branch: Branch, date: string, share: number): Promise<void> {
    const name = `history ${branch.branch_id} ${date}`;
    // The day's last command has this id: where it was answered, all before it was.
    const last = derivedUuid(`${name} last`);
    if ((await this.runtime.log.findAnswers([last])).length > 0) return;
    const sold = soldAt(branch, date, share);
    if (sold.hours.length === 0) return;
    // The chain's sales of a date are one number, whichever branch's day is lived first.
    const target_minor = targetOf(date, chanceOf(`history ${date}`));
    const orders = plannedDay(sold, this.menu, target_minor, chanceOf(name));
    const final = orders.findLastIndex(({ cancelled }) => !cancelled);
    const under_way = new UnderWay();
    for (const [n, order] of orders.entries()) {
      if (n === final) continue;
      const placed = await this.#place(order, `${name} ${String(n)}`);
      if (placed !== undefined) await under_way.add(this.#follow(order, placed, `${name} ${String(n)}`));
    }
    await under_way.rest();
    const closing = orders[final];
    if (closing === undefined) return;
    const placed = await this.#place(closing, `${name} ${String(final)}`);
    if (placed !== undefined) await this.#follow(closing, placed, `${name} ${String(final)}`, last);
  }

  /** Undefined where the kitchen was full: then the customer has eaten elsewhere. */
  async #place(order: PlannedOrder, name: string): Promise<Placed | undefined> {
    const placed = await this.#do(
      placeOrder,
      order.wish,
      order.placed_ms,
      derivedUuid(`${name} placed`),
      callerOf(order),
    );
    if (placed !== undefined) this.orders += 1;
    return placed;
  }

  /** Walks an order to its end; `last` is the id of its last command. */
  async #follow(order: PlannedOrder, placed: Placed, name: string, last?: string): Promise<void> {
    const { order_id } = placed;
    if (order.cancelled) {
      const at_ms = order.placed_ms + 3 * MINUTE_MS;
      await this.#do(
        cancelOrder,
        { order_id, reason: "передумали" },
        at_ms,
        derivedUuid(`${name} cancelled`),
      );
      return;
    }
    const steps = stepsOf(order, placed, this.clock.present());
    for (const [n, { status, at_ms }] of steps.entries()) {
      const id = last !== undefined && n === steps.length - 1 ? last : derivedUuid(`${name} ${status}`);
      // Somebody else has taken the order elsewhere: it is theirs now.
      if ((await this.#do(advanceOrder, { order_id, status }, at_ms, id)) === undefined) return;
    }
  }

  /** Does one thing at its time, also when the database is slow to answer; undefined when it was refused. */
  async #do<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    at_ms: number,
    id: string,
    caller: Caller = SYSTEM,
  ): Promise<ResultOf<C> | undefined> {
    const meta = { caller, command: { id, fingerprint: "seed" } };
    for (let faults = 0; ; faults += 1) {
      try {
        return await this.clock.at(at_ms, () =>
          act(this.runtime.broker, contract, params, { meta: { ...meta } }),
        );
      } catch (error) {
        if (refusalOf(error) !== undefined) return undefined;
        if (faultOf(error) === undefined || faults >= FAULTS_MAX) throw error;
        await pause(FAULT_PAUSE_MS);
      }
    }
  }
}

/** Work that goes on side by side, so much and no more of it; the first failure ends the whole at the next look. */
class UnderWay {
  readonly #running: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  async add(work: Promise<void>): Promise<void> {
    // Handled here and now: a failure that waits for its turn would count as unhandled meanwhile.
    this.#running.push(work.catch((error: unknown) => void (this.#failure ??= { error })));
    if (this.#running.length >= UNDER_WAY_MAX) await this.#running.shift();
    this.#check();
  }

  async rest(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function callerOf({ customer }: PlannedOrder): Caller {
  const user_id = customer === undefined ? undefined : CUSTOMERS[customer]?.user_id;
  return user_id === undefined
    ? { role: "guest", user_id: null, branch_ids: null }
    : { role: "customer", user_id, branch_ids: null };
}

/** When an order takes which step; never later than now. */
function stepsOf(
  { wish }: PlannedOrder,
  { visible_at, ready_at }: Placed,
  now_ms: number,
): { status: Status; at_ms: number }[] {
  const seen_ms = Date.parse(visible_at);
  const ready_ms = Date.parse(ready_at);
  const cooking_ms = seen_ms + (ready_ms - seen_ms) * 0.5;
  const hand_over: [Status, number][] =
    wish.fulfilment === "delivery"
      ? [["delivery", ready_ms + 4 * MINUTE_MS], ["delivered", ready_ms + 28 * MINUTE_MS]] // prettier-ignore
      : [["delivered", ready_ms + 9 * MINUTE_MS]];
  const steps: [Status, number][] = [
    ["preparing", seen_ms + MINUTE_MS],
    ["cooking", cooking_ms],
    ["ready", ready_ms],
    ...hand_over,
  ];
  return steps.map(([status, at_ms]) => ({ status, at_ms: Math.min(Math.round(at_ms), now_ms) }));
}

/** A branch on a date: where, from when to when, and for how much it brings an order home. */
function soldAt(branch: Branch, date: string, share: number): SoldAt {
  const midnight = DateTime.fromISO(date, { zone: branch.time_zone });
  const { hours, holidays } = branch.slot_rules;
  const holiday = holidays.find((each) => each.date === date);
  const open = holiday === undefined ? hours[String(midnight.weekday) as keyof WeekHours] : holiday.hours;
  const { branch_id, delivery_fee_minor, free_delivery_from_minor } = branch;
  return {
    branch_id,
    share,
    hours: wholeHours(open),
    midnight_ms: midnight.toMillis(),
    delivery_fee_minor,
    free_delivery_from_minor,
  };
}

/** Hours that are open from their first minute until well after their last; those after midnight are the next day's. */
function wholeHours(open: OpeningHours | null): number[] {
  if (open === null) return [];
  const from = minutes(open.open);
  const until = minutes(open.close) <= from ? 24 * 60 : minutes(open.close);
  const fits = (hour: number): boolean => hour * 60 >= from && (hour + 1) * 60 + LAST_ORDER_MINUTES <= until;
  return Array.from({ length: 24 }, (_, hour) => hour).filter(fits);
}

const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
