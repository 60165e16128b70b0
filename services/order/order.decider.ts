import type { Decider, Decision } from "../../mixins/actor/decider";
import type { Caller } from "../../mixins/contract/caller";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { Fulfilment, OrderEvent, OrderHold, OrderStatus } from "./order.events";
import type { SlotShare } from "../slot/slot.events";
import { isCancellable, isClosed, mayStep, nextStep, type OrderStep } from "./order.states";
import { isWithinReach } from "./order.reach";

/** An order that was closed so long ago is archived. */
export const ARCHIVE_AFTER_DAYS = 365;

/** Commands on an order that exists; `at` is RFC 3339 UTC. Placing is decided by the kitchen-day, which founds the stream. */
export type OrderCommand =
  | { readonly type: "order.advance"; readonly to: OrderStep; readonly by: Caller; readonly at: string }
  | { readonly type: "order.process"; readonly by: Caller; readonly at: string }
  | {
      readonly type: "order.cancel";
      readonly reason: string;
      readonly by: Caller;
      readonly at: string;
      /** A guest's credential: the token of the tracking link. */
      readonly track_token?: string;
    }
  | {
      readonly type: "order.refund";
      /** Absent: all that is left. */
      readonly amount_minor?: number;
      readonly reason: string;
      readonly by: Caller;
      readonly at: string;
    }
  | { readonly type: "order.archive"; readonly at: string };

/** What decisions need to know of an order. */
export interface PlacedState {
  /** What every event of the order repeats. */
  readonly ref: {
    readonly order_id: string;
    readonly branch_id: string;
    readonly display_id: string;
    readonly business_date: string;
    readonly placed_at: string;
    readonly fulfilment: Fulfilment;
    readonly user_id: string | null;
  };
  readonly shares: readonly SlotShare[];
  readonly holds: readonly OrderHold[] | undefined;
  readonly track_token: string;
  readonly total_minor: number;
  readonly status: OrderStatus;
  readonly processed_at: string | null;
  readonly refunded_total_minor: number;
  readonly closed_at: string | null;
  /** Who carried it last. */
  readonly courier_id: string | null;
}

/** Null: nobody placed an order under this id. */
export type OrderState = PlacedState | null;

/** What a command's caller is told; for a refund also the amounts. */
export interface OrderAnswer {
  readonly order_id: string;
  readonly display_id: string;
  readonly status: OrderStatus;
  readonly at: string;
}
export interface RefundAnswer extends OrderAnswer {
  readonly amount_minor: number;
  readonly refunded_total_minor: number;
}

/**
 * The rules of one order.
 *
 * A repeated step, cancellation or "processed" under a new command id is refused and says what is so already: the second
 * of two people learns that the first was faster. The same command id never gets here twice; the log gives its first answer.
 */
export const orderDecider: Decider<OrderState, OrderCommand, OrderEvent> = {
  initialState: () => null,
  decide,
  evolve,
};

function decide(command: OrderCommand, state: OrderState): Decision<OrderEvent> | Refusal {
  if (state === null) return unknownOrder();
  switch (command.type) {
    case "order.advance":
      return advance(command, state);
    case "order.process":
      return process(command, state);
    case "order.cancel":
      return cancel(command, state);
    case "order.refund":
      return refund(command, state);
    case "order.archive":
      return archive(command, state);
  }
}

type Of<T extends OrderCommand["type"]> = Extract<OrderCommand, { type: T }>;
type Decided = Decision<OrderEvent> | Refusal;

function advance({ to, by, at }: Of<"order.advance">, order: PlacedState): Decided {
  if (!isWithinReach(by, order.ref)) return notYours();
  if (isClosed(order.status)) return alreadyClosed(order);
  const { fulfilment } = order.ref;
  const allowed = nextStep(order.status, fulfilment);
  if (to !== allowed) return illegalStep(order.status, to, allowed);
  if (!mayStep(by.role, to, fulfilment)) {
    return refuse(
      "forbidden",
      "order.step_not_yours",
      `Taking an order to ${to} is not the work of a ${by.role}.`,
    );
  }
  const carried = by.role === "courier" && by.user_id !== null ? { courier_id: by.user_id } : {};
  return {
    events: [
      { type: "order.status_changed", data: { ...order.ref, from: order.status, to, at, ...carried } },
    ],
    answer: answerOf(order, to, at),
  };
}

function process({ by, at }: Of<"order.process">, order: PlacedState): Decided {
  if (!isWithinReach(by, order.ref)) return notYours();
  if (order.processed_at !== null) {
    return refuse(
      "conflict",
      "order.already_processed",
      `This order was processed at ${order.processed_at}.`,
      {
        processed_at: order.processed_at,
      },
    );
  }
  if (isClosed(order.status)) return alreadyClosed(order);
  return {
    events: [{ type: "order.processed", data: { ...order.ref, by: by.user_id, at } }],
    answer: answerOf(order, order.status, at),
  };
}

function cancel({ reason, by, at, track_token }: Of<"order.cancel">, order: PlacedState): Decided {
  const holdsLink = track_token !== undefined && track_token === order.track_token;
  if (!holdsLink && !isWithinReach(by, order.ref)) return notYours();
  if (isClosed(order.status)) return alreadyClosed(order);
  if (!isCancellable(order.status)) {
    return illegalStep(order.status, "cancelled", nextStep(order.status, order.ref.fulfilment));
  }
  const { ref, status, shares, holds } = order;
  const data = { ...ref, from: status, reason, at, shares, ...(holds === undefined ? {} : { holds }) };
  return { events: [{ type: "order.cancelled", data }], answer: answerOf(order, "cancelled", at) };
}

/** Forno does not take the money itself, so it is the desk's word that there was some; it only keeps the sum in bounds. */
function refund({ amount_minor, reason, by, at }: Of<"order.refund">, order: PlacedState): Decided {
  if (!isWithinReach(by, order.ref)) return notYours();
  if (order.status === "archived") return alreadyClosed(order);
  if (order.total_minor === 0) {
    return refuse(
      "conflict",
      "order.nothing_paid",
      "This order cost nothing, so there is nothing to give back.",
    );
  }
  const refundable_minor = order.total_minor - order.refunded_total_minor;
  if (refundable_minor <= 0) {
    return refuse(
      "conflict",
      "order.nothing_to_refund",
      "The whole total of this order has been refunded already.",
    );
  }
  const amount = amount_minor ?? refundable_minor;
  if (amount > refundable_minor) {
    return refuse(
      "unprocessable",
      "order.refund_too_large",
      `At most ${String(refundable_minor)} minor units of this order can still be refunded.`,
      { refundable_minor },
    );
  }
  const amounts = { amount_minor: amount, refunded_total_minor: order.refunded_total_minor + amount };
  const answer: RefundAnswer = { ...answerOf(order, order.status, at), ...amounts };
  return { events: [{ type: "order.refunded", data: { ...order.ref, ...amounts, reason, at } }], answer };
}

function archive({ at }: Of<"order.archive">, order: PlacedState): Decided {
  if (order.status === "archived") return alreadyClosed(order);
  if (order.closed_at === null || Date.parse(order.closed_at) > archiveHorizon(Date.parse(at))) {
    return illegalStep(order.status, "archived", nextStep(order.status, order.ref.fulfilment));
  }
  return {
    events: [{ type: "order.archived", data: { ...order.ref, from: order.status, at } }],
    answer: answerOf(order, "archived", at),
  };
}

function evolve(state: OrderState, event: OrderEvent): OrderState {
  if (event.type === "order.placed") return placedState(event.data);
  if (state === null)
    throw new Error(`${event.type} of order ${event.data.order_id} comes before order.placed`);
  switch (event.type) {
    case "order.status_changed": {
      const { to, at, courier_id = state.courier_id } = event.data;
      return { ...state, status: to, closed_at: isClosed(to) ? at : null, courier_id };
    }
    case "order.cancelled":
      return { ...state, status: "cancelled", closed_at: event.data.at };
    case "order.processed":
      return { ...state, processed_at: event.data.at };
    case "order.refunded":
      return { ...state, refunded_total_minor: event.data.refunded_total_minor };
    case "order.archived":
      return { ...state, status: "archived" };
  }
}

function placedState(placed: Extract<OrderEvent, { type: "order.placed" }>["data"]): PlacedState {
  const { order_id, branch_id, display_id, business_date, placed_at, fulfilment, customer } = placed;
  const { user_id } = customer;
  return {
    ref: { order_id, branch_id, display_id, business_date, placed_at, fulfilment, user_id },
    shares: placed.shares,
    holds: placed.holds,
    track_token: placed.track_token,
    total_minor: placed.total_minor,
    status: "pending",
    processed_at: null,
    refunded_total_minor: 0,
    closed_at: null,
    courier_id: null,
  };
}

/** Orders closed before this moment (milliseconds since the epoch) are archived. */
export const archiveHorizon = (now: number): number => now - ARCHIVE_AFTER_DAYS * 86_400_000;

function answerOf(order: PlacedState, status: OrderStatus, at: string): OrderAnswer {
  return { order_id: order.ref.order_id, display_id: order.ref.display_id, status, at };
}

export const unknownOrder = (): Refusal => refuse("not_found", "order.unknown", "There is no such order.");

export const notYours = (): Refusal =>
  refuse("forbidden", "order.not_yours", "This order is neither yours nor of a branch that you work at.");

function alreadyClosed({ status }: PlacedState): Refusal {
  return refuse(
    "conflict",
    "order.already_closed",
    `This order is ${status}; nothing more can be done with it.`,
    {
      status,
    },
  );
}

function illegalStep(from: OrderStatus, to: OrderStatus, next: OrderStep | null): Refusal {
  const allowed = [...(next === null ? [] : [next]), ...(isCancellable(from) ? ["cancelled" as const] : [])];
  const hint = allowed.length === 0 ? "no further step" : allowed.join(" or ");
  return refuse(
    "conflict",
    "order.illegal_step",
    `An order cannot go from ${from} to ${to}; from here: ${hint}.`,
    {
      from,
      to,
      allowed,
    },
  );
}
