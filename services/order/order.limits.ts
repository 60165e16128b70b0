import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { Settings } from "../../settings";
import type { OpenBook, Sum } from "./order.open-book";
import type { NotedOrder } from "./order.noted";

/** Whom an order counts against. */
export type Subject = "account" | "phone" | "address" | "network" | "branch";

/** An order that is about to be placed by a customer or a guest. */
export interface OrderAsked {
  readonly order_id: string;
  readonly branch_id: string;
  readonly user_id: string | null;
  /** E.164. */
  readonly phone: string | null;
  readonly total_minor: number;
}

/** Bounds on what is open and unpaid; 0: none. */
interface OpenBounds {
  readonly orders: number;
  readonly minor: number;
}

/** The limits of a chain on orders that people place themselves. */
export interface OrderLimits {
  readonly customer: OpenBounds;
  readonly address: OpenBounds;
  readonly branch: OpenBounds;
  /** Orders a minute; 0: any number. */
  readonly address_per_minute: number;
  readonly network_per_minute: number;
  /** Orders of more are taken by the desk; 0: none are. */
  readonly confirm_above_minor: number;
}

export function orderLimitsOf(settings: Settings): OrderLimits {
  return {
    customer: { orders: settings.ORDER_OPEN_MAX, minor: settings.ORDER_OPEN_MINOR_MAX },
    address: { orders: settings.ORDER_ADDRESS_OPEN_MAX, minor: settings.ORDER_ADDRESS_OPEN_MINOR_MAX },
    branch: { orders: settings.ORDER_BRANCH_OPEN_MAX, minor: settings.ORDER_BRANCH_OPEN_MINOR_MAX },
    address_per_minute: settings.ORDER_ADDRESS_PER_MINUTE,
    network_per_minute: settings.ORDER_NETWORK_PER_MINUTE,
    confirm_above_minor: settings.ORDER_CONFIRM_ABOVE_MINOR,
  };
}

/** Orders that were noted lately, this one not among them; those of an account and a phone from the last minute. */
export interface Noted {
  readonly account: readonly NotedOrder[];
  readonly phone: readonly NotedOrder[];
  readonly address: readonly NotedOrder[];
  readonly network: readonly NotedOrder[];
}

/** Why an order is too much, and whom it counts against. */
export interface TooMuch {
  readonly by: Subject;
  readonly refusal: Refusal;
}

const MINUTE_MS = 60_000;

/** A person has to say yes to an order of so much. Refusal: `order.confirmation_needed`. */
export function confirmationNeeded(
  { total_minor }: Pick<OrderAsked, "total_minor">,
  { confirm_above_minor }: OrderLimits,
  branch_phone: string | null,
): Refusal | undefined {
  if (confirm_above_minor === 0 || total_minor <= confirm_above_minor) return undefined;
  return refuse(
    "unprocessable",
    "order.confirmation_needed",
    "An order of this size is taken by the branch: call it, and it will be placed for you.",
    { total_minor, limit_minor: confirm_above_minor, phone: branch_phone },
  );
}

/**
 * The first of an order's limits that it would go beyond, those of the customer's own account first. What is in the book counts,
 * and what was noted by an order that is still on its way there. Pure: the same book and notes give the same answer.
 * Refusals: `order.too_many_open`, `order.too_much_unpaid`, `order.too_fast`.
 */
export function tooMuch(
  asked: OrderAsked,
  book: Pick<OpenBook, "has" | "get" | "hasClosed" | "ofAccount" | "ofPhone" | "ofBranch">,
  noted: Noted,
  limits: OrderLimits,
): TooMuch | undefined {
  const { user_id, phone, branch_id } = asked;
  const underWay = ({ order_id, age_ms }: NotedOrder): boolean =>
    age_ms < MINUTE_MS && !book.has(order_id) && !book.hasClosed(order_id);
  const with_ = (open: Iterable<{ readonly total_minor: number }>, recent: readonly NotedOrder[]): Sum =>
    sumOf([...open, ...recent.filter(underWay)]);
  const fromHere = noted.address.flatMap(({ order_id }) => book.get(order_id) ?? []);
  return (
    (user_id === null
      ? undefined
      : open("account", asked, with_(book.ofAccount(user_id).values(), noted.account), limits.customer)) ??
    (phone === null
      ? undefined
      : open("phone", asked, with_(book.ofPhone(phone).values(), noted.phone), limits.customer)) ??
    open("address", asked, with_(fromHere, noted.address), limits.address) ??
    fast("address", noted.address, limits.address_per_minute) ??
    fast("network", noted.network, limits.network_per_minute) ??
    open("branch", asked, book.ofBranch(branch_id), limits.branch)
  );
}

function sumOf(orders: readonly { readonly total_minor: number }[]): Sum {
  return { orders: orders.length, minor: orders.reduce((sum, { total_minor }) => sum + total_minor, 0) };
}

function open(
  by: Subject,
  { total_minor }: OrderAsked,
  { orders, minor }: Sum,
  bounds: OpenBounds,
): TooMuch | undefined {
  if (bounds.orders > 0 && orders >= bounds.orders)
    return {
      by,
      refusal: refuse(
        "conflict",
        "order.too_many_open",
        `${String(orders)} orders are open already; order again when one of them is done, or call the branch.`,
        { by, open: orders, limit: bounds.orders },
      ),
    };
  // One order always fits, however much it is: that is what confirmations are for.
  if (bounds.minor > 0 && orders > 0 && minor + total_minor > bounds.minor)
    return {
      by,
      refusal: refuse(
        "conflict",
        "order.too_much_unpaid",
        "Open orders would come to more than is taken unpaid; order again when one of them is done, or call the branch.",
        { by, open_minor: minor, total_minor, limit_minor: bounds.minor },
      ),
    };
  return undefined;
}

function fast(by: Subject, noted: readonly NotedOrder[], per_minute: number): TooMuch | undefined {
  if (per_minute === 0) return undefined;
  const ages = noted
    .map(({ age_ms }) => age_ms)
    .filter((age_ms) => age_ms < MINUTE_MS)
    .sort((one, other) => one - other);
  const blocking = ages[per_minute - 1];
  if (blocking === undefined) return undefined;
  return {
    by,
    refusal: refuse(
      "rate_limited",
      "order.too_fast",
      "Too many orders come from where you are; wait as long as Retry-After says, or call the branch.",
      { by, limit: per_minute, retry_after_s: Math.max(1, Math.ceil((MINUTE_MS - blocking) / 1000)) },
    ),
  };
}
