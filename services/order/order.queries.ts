import type { CountryCode } from "libphonenumber-js/min";
import type { ServiceSchema } from "moleculer";
import type { Caller, Role } from "../../mixins/contract/caller";
import { callerOf, implement } from "../../mixins/contract/implement";
import { RefusedError, orThrow, type Refusal } from "../../mixins/contract/refusal";
import type { EventLog, Position } from "../../mixins/event-log/event-log";
import type { Clock } from "../../mixins/runtime";
import { soughtPhone } from "../../mixins/text/phone";
import {
  getMyOrder,
  getOrder,
  getOrderHistory,
  listActiveOrders,
  listMyOrders,
  listOrderBatches,
  listPendingOrders,
  searchOrders,
  trackOrder,
} from "./order.contract";
import { notYours, orderDecider, unknownOrder, type OrderState } from "./order.decider";
import { orderStream, type OrderEvent } from "./order.events";
import { branchRefusal } from "./order.placement";
import { COURIER_SEES_MS, maySee } from "./order.reach";
import type { FactsPage, OrderFilter, OrderReads } from "./order.reads";
import { eventViewFor, orderViewFor, type OrderFacts, type OrderView } from "./order.view";

/** What the read actions work with. */
export interface OrderQueryDeps {
  readonly reads: OrderReads;
  readonly log: Pick<EventLog, "readStream" | "head">;
  readonly clock: Clock;
  /** Whose habits a phone follows that is looked for. */
  readonly country: CountryCode;
  /** Waits until the read model has reached a position. */
  readonly reached: (position: Position) => Promise<void>;
}

const PAGE_SIZE = 50;

/** The reads of the room: who may ask is in the contracts, whose orders they get is decided here. */
export function orderQueries(deps: OrderQueryDeps): ServiceSchema["actions"] {
  return { ...listsOfStaff(deps), ...oneOrder(deps), ...ownOrders(deps) };
}

function listsOfStaff({ reads, clock, country, reached }: OrderQueryDeps): ServiceSchema["actions"] {
  return {
    list_active: implement(listActiveOrders, async (ctx) => {
      const { branch_id, status, after, limit = PAGE_SIZE, cursor } = ctx.params;
      const caller = callerOf(ctx);
      const branch_ids = orThrow(branchesOf(caller, branch_id));
      await caughtUp(reached, after);
      const filter = {
        branch_ids,
        open: true as const,
        ...(status === undefined ? {} : { status }),
        ...scopeOf(caller, clock),
        ...(isDesk(caller.role) ? {} : { visible: { at: new Date(clock.now()), is: true } }),
      };
      return pageFor(caller.role, await reads.page(filter, { oldest_first: true, limit, cursor }));
    }),
    list_pending: implement(listPendingOrders, async (ctx) => {
      const { branch_id, after, limit = PAGE_SIZE, cursor } = ctx.params;
      const caller = callerOf(ctx);
      const branch_ids = orThrow(branchesOf(caller, branch_id));
      await caughtUp(reached, after);
      const visible = { at: new Date(clock.now()), is: false };
      const filter = { branch_ids, open: true as const, visible, ...scopeOf(caller, clock) };
      return pageFor(caller.role, await reads.page(filter, { oldest_first: true, limit, cursor }));
    }),
    list_batch: implement(listOrderBatches, async (ctx) => {
      const { branch_id, from, after, cursor } = ctx.params;
      const caller = callerOf(ctx);
      const branch_ids = orThrow(branchesOf(caller, branch_id));
      await caughtUp(reached, after);
      const since = from === undefined ? {} : { placed_from: new Date(from) };
      const filter = { branch_ids, ...since, ...scopeOf(caller, clock) };
      return pageFor(caller.role, await reads.page(filter, { oldest_first: true, limit: PAGE_SIZE, cursor }));
    }),
    search: implement(searchOrders, async (ctx) => {
      const { branch_id, phone, display_id, date, after, limit = PAGE_SIZE, cursor } = ctx.params;
      const caller = callerOf(ctx);
      const branch_ids = orThrow(branchesOf(caller, branch_id));
      await caughtUp(reached, after);
      const filter = {
        branch_ids,
        ...(phone === undefined ? {} : { phone: soughtPhone(phone, country) }),
        ...(display_id === undefined ? {} : { display_id }),
        ...(date === undefined ? {} : { business_date: date }),
        ...scopeOf(caller, clock),
      };
      return pageFor(caller.role, await reads.page(filter, { oldest_first: false, limit, cursor }));
    }),
  };
}

function oneOrder(deps: OrderQueryDeps): ServiceSchema["actions"] {
  const { reads, log, clock, reached } = deps;
  return {
    get: implement(getOrder, async (ctx) => {
      await caughtUp(reached, ctx.params.after);
      const order = await found(deps, () => reads.byId(ctx.params.order_id));
      return viewFor(callerOf(ctx), order, clock);
    }),
    history: implement(getOrderHistory, async (ctx) => {
      const { order_id } = ctx.params;
      const caller = callerOf(ctx);
      const events = await log.readStream(orderStream(order_id));
      const state = events.reduce<OrderState>(
        (before, { type, data }) => orderDecider.evolve(before, { type, data } as OrderEvent),
        null,
      );
      if (state === null) throw new RefusedError(unknownOrder());
      if (!maySee(caller, { ...state.ref, ...state }, clock.now())) throw new RefusedError(notYours());
      const items = events.flatMap(({ position, version, type, data, recorded_at, meta }) => {
        const seen = eventViewFor(caller.role, { type, data } as OrderEvent);
        const actor = isDesk(caller.role) && meta.actor !== undefined ? { actor: meta.actor } : {};
        return seen === null ? [] : [{ position, version, type, recorded_at, ...actor, data: seen }];
      });
      return { order_id, items };
    }),
    track: implement(trackOrder, async (ctx) => {
      await caughtUp(reached, ctx.params.after);
      return orderViewFor("guest", await found(deps, () => reads.byTrackToken(ctx.params.token)));
    }),
  };
}

function ownOrders(deps: OrderQueryDeps): ServiceSchema["actions"] {
  const { reads, reached } = deps;
  return {
    list_mine: implement(listMyOrders, async (ctx) => {
      const { after, limit = PAGE_SIZE, cursor } = ctx.params;
      const { user_id } = callerOf(ctx);
      // Forno itself orders nothing.
      if (user_id === null) return { items: [], next_cursor: null };
      await caughtUp(reached, after);
      return pageFor(
        "customer",
        await reads.page({ branch_ids: null, user_id }, { oldest_first: false, limit, cursor }),
      );
    }),
    get_mine: implement(getMyOrder, async (ctx) => {
      await caughtUp(reached, ctx.params.after);
      const order = await found(deps, () => reads.byId(ctx.params.order_id));
      const { user_id } = callerOf(ctx);
      return viewFor({ role: "customer", user_id, branch_ids: null }, order, deps.clock);
    }),
  };
}

/**
 * An order by something that only its read model knows. What was placed a moment ago may not be there yet, so before an
 * order is called unknown, the read model gets to the log's present end. @throws RefusedError `order.unknown`
 */
export async function found(
  { log, reached }: Pick<OrderQueryDeps, "log" | "reached">,
  look: () => Promise<OrderFacts | undefined>,
): Promise<OrderFacts> {
  const at_once = await look();
  if (at_once !== undefined) return at_once;
  await reached(await log.head());
  return orThrow((await look()) ?? unknownOrder());
}

/** Of all orders of one's branches, those that one's work is about. */
function scopeOf({ role, user_id }: Caller, clock: Clock): Pick<OrderFilter, "courier"> {
  if (role !== "courier") return {};
  return { courier: { courier_id: user_id, since: new Date(clock.now() - COURIER_SEES_MS) } };
}

function viewFor(caller: Caller, order: OrderFacts, clock: Clock): OrderView {
  const { branch_id, fulfilment, customer, status = "pending", courier_id = null, closed_at = null } = order;
  const seen = { branch_id, fulfilment, user_id: customer.user_id, status, courier_id, closed_at };
  if (!maySee(caller, seen, clock.now())) throw new RefusedError(notYours());
  return orderViewFor(caller.role, order);
}

function pageFor(role: Role, page: FactsPage | Refusal): { items: OrderView[]; next_cursor: string | null } {
  const { orders, next_cursor } = orThrow(page);
  return { items: orders.map((order) => orderViewFor(role, order)), next_cursor };
}

/** Branches whose orders a list shows: the one that was asked for, else all that the caller works at; null is all. */
function branchesOf(caller: Caller, branch_id: string | undefined): readonly string[] | null | Refusal {
  if (branch_id === undefined) return caller.branch_ids;
  return branchRefusal(caller, branch_id) ?? [branch_id];
}

function isDesk(role: Role): boolean {
  return role === "super_admin" || role === "manager" || role === "system";
}

async function caughtUp(reached: OrderQueryDeps["reached"], after: Position | undefined): Promise<void> {
  if (after !== undefined) await reached(after);
}
