import type { Decider, Decision } from "../../mixins/actor/decider";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import {
  LINES_MAX,
  QUANTITY_MAX,
  type CartChanged,
  type CartContents,
  type CartEvent,
  type CartLine,
  type LineContent,
} from "./cart.events";
import { merged, withAdded, withChanged, withoutOrdered } from "./cart.lines";

/** A cart as its events leave it. `evolve` replaces states, never changes them: readers keep them. */
export interface CartState extends CartContents {
  /** False: nobody has put anything in, or it is over. */
  readonly open: boolean;
  readonly user_id: string | null;
  /** The checkout that has begun, while nobody knows its end. */
  readonly checkout: { readonly no: number; readonly at: string } | null;
  /** Checkouts that have ended, in an order or without. */
  readonly checkouts_ended: number;
  readonly last_order_id: string | null;
  /** What went to whom at a login. */
  readonly given: (CartContents & { readonly to_user_id: string }) | null;
  readonly changed_at: string;
}

/** Whose cart a command is for, and when. */
interface Told {
  readonly cart_id: string;
  readonly user_id: string | null;
  /** RFC 3339 UTC. */
  readonly at: string;
}

export type CartCommand = Told &
  (
    | {
        readonly type: "cart.add";
        /** In the form that the menu gives them; their ids are used where they become lines of their own. */
        readonly wishes: readonly CartLine[];
        /** The cart may be a new one. */
        readonly may_open: boolean;
      }
    | {
        readonly type: "cart.update";
        readonly line_id: string;
        /** 0 takes the line out. */
        readonly quantity?: number;
        readonly extras?: readonly string[];
        readonly exclude_ingredients?: readonly string[];
      }
    /** A line, or all lines of a menu item. */
    | { readonly type: "cart.remove"; readonly id: string }
    | { readonly type: "cart.clear" }
    | { readonly type: "cart.set_promo"; readonly promo_code: string | null }
    | {
        readonly type: "cart.begin_checkout";
        /** The log is to remember which checkout this command joined. */
        readonly keyed: boolean;
      }
    | { readonly type: "cart.drop_checkout"; readonly checkout_no: number }
    | {
        readonly type: "cart.finish_checkout";
        readonly checkout_no: number;
        readonly order_id: string;
        readonly ordered: readonly (LineContent & { readonly quantity: number })[];
      }
    | { readonly type: "cart.give"; readonly to_user_id: string }
    | ({ readonly type: "cart.take"; readonly from_cart_id: string } & CartContents)
    /** Over, unless somebody came after this moment. */
    | { readonly type: "cart.expire"; readonly unless_after: string }
    /** Over: its customer was forgotten. */
    | { readonly type: "cart.close" }
    | { readonly type: "cart.look" }
  );

/** Which checkout a `cart.begin_checkout` joined. */
export interface BegunAnswer {
  readonly checkout_no: number;
}

export const CART_UNKNOWN = refuse("not_found", "cart.unknown", "There is no such cart, or not any more.");
export const UNKNOWN_LINE = refuse(
  "not_found",
  "cart.unknown_line",
  "The cart has no such line; another tab may have removed it.",
);
/** Names the order that was made of the cart before, for a client that has lost its answer. */
export const cartEmpty = (last_order_id: string | null): Refusal =>
  refuse(
    "unprocessable",
    "cart.empty",
    "There is nothing in the cart to order.",
    last_order_id === null ? undefined : { last_order_id },
  );
const UNDER_WAY = refuse("conflict", "cart.checkout_under_way", "This cart is being ordered at this moment.");

/** The rules of one cart. */
export const cartDecider: Decider<CartState, CartCommand, CartEvent> = {
  initialState: () => ({
    ...{ open: false, user_id: null, lines: [], promo_code: null, checkout: null, checkouts_ended: 0 },
    ...{ last_order_id: null, given: null, changed_at: "" },
  }),
  decide,
  evolve,
};

function decide(command: CartCommand, state: CartState): Decision<CartEvent> | Refusal {
  switch (command.type) {
    case "cart.look":
      return { events: [], answer: state, reading: true };
    case "cart.add":
      return add(command, state);
    case "cart.take":
      return take(command, state);
    case "cart.give":
      return give(command, state);
    case "cart.finish_checkout":
      return finish(command, state);
    case "cart.drop_checkout":
      return drop(command, state);
    case "cart.begin_checkout":
      return begin(command, state);
    case "cart.expire":
      return expire(command, state);
    case "cart.close":
      return state.open ? done({ type: "cart.expired", data: ofCart(command) }) : done();
    default:
      return state.open ? edit(command, state) : notOpen(command);
  }
}

type Command<T extends CartCommand["type"]> = Extract<CartCommand, { type: T }>;
type Edit = Command<"cart.update" | "cart.remove" | "cart.clear" | "cart.set_promo">;

/** Commands whose callers read the cart afterwards: there is nothing to keep of their answers. */
const done = (...events: readonly CartEvent[]): Decision<CartEvent> => ({ events, answer: {} });

/** A cart that nobody has opened is an empty one. */
function notOpen({ type }: Edit): Decision<CartEvent> | Refusal {
  return type === "cart.clear" || type === "cart.set_promo" ? done() : UNKNOWN_LINE;
}

function ofCart({ cart_id, user_id, at }: Told): Told {
  return { cart_id, user_id, at };
}

function changed(
  command: Told,
  change: CartChanged["data"]["change"],
  { lines, promo_code }: CartContents,
): Decision<CartEvent> {
  return done({ type: "cart.changed", data: { ...ofCart(command), change, lines, promo_code } });
}

function add(command: Command<"cart.add">, state: CartState): Decision<CartEvent> | Refusal {
  if (!state.open && !command.may_open) return CART_UNKNOWN;
  const lines = command.wishes.reduce(withAdded, [...state.lines]);
  return sizeRefusal(lines) ?? changed(command, "added", { ...state, lines });
}

function edit(command: Edit, state: CartState): Decision<CartEvent> | Refusal {
  switch (command.type) {
    case "cart.update": {
      const line = state.lines.find(({ line_id }) => line_id === command.line_id);
      if (line === undefined) return UNKNOWN_LINE;
      if (command.quantity === 0) return removed(command, command.line_id, state);
      const { quantity, extras, exclude_ingredients } = { ...line, ...command };
      const lines = withChanged(state.lines, { ...line, quantity, extras, exclude_ingredients });
      return sizeRefusal(lines) ?? changed(command, "updated", { ...state, lines });
    }
    case "cart.remove":
      return removed(command, command.id, state);
    case "cart.clear":
      if (state.lines.length === 0 && state.promo_code === null) return done();
      return changed(command, "cleared", { lines: [], promo_code: null });
    case "cart.set_promo":
      if (command.promo_code === state.promo_code) return done();
      return changed(command, "promo", { ...state, promo_code: command.promo_code });
    default:
      return command satisfies never;
  }
}

function removed(command: Told, id: string, state: CartState): Decision<CartEvent> | Refusal {
  const lines = state.lines.filter(({ line_id, menu_item_id }) => line_id !== id && menu_item_id !== id);
  if (lines.length === state.lines.length) return UNKNOWN_LINE;
  return changed(command, "removed", { ...state, lines });
}

function sizeRefusal(lines: readonly CartLine[]): Refusal | undefined {
  if (lines.length > LINES_MAX)
    return refuse(
      "unprocessable",
      "cart.too_many_lines",
      `A cart holds ${String(LINES_MAX)} different lines at most.`,
    );
  const large = lines.find(({ quantity }) => quantity > QUANTITY_MAX);
  return (
    large &&
    refuse(
      "unprocessable",
      "cart.quantity_too_large",
      `At most ${String(QUANTITY_MAX)} of one line; the desk takes larger orders by phone.`,
      { line_id: large.line_id },
    )
  );
}

/** Who joins a checkout that is older than this makes it young again: requests take ten seconds, left is what is thirty old. */
const YOUNG_MS = 10_000;

/** Everybody who comes while a checkout is under way joins it. */
function begin(command: Command<"cart.begin_checkout">, state: CartState): Decision<CartEvent> | Refusal {
  const { checkout, lines, last_order_id } = state;
  if (checkout === null && lines.length === 0) return cartEmpty(last_order_id);
  const checkout_no = checkout?.no ?? state.checkouts_ended + 1;
  const answer: BegunAnswer = { checkout_no };
  const isYoung = checkout !== null && Date.parse(command.at) - Date.parse(checkout.at) < YOUNG_MS;
  if (isYoung && !command.keyed) return { events: [], answer };
  return { events: [{ type: "cart.checkout_begun", data: { ...ofCart(command), checkout_no } }], answer };
}

function drop(command: Command<"cart.drop_checkout">, { checkout }: CartState): Decision<CartEvent> {
  const { checkout_no } = command;
  if (checkout?.no !== checkout_no) return done();
  return done({ type: "cart.checkout_dropped", data: { ...ofCart(command), checkout_no } });
}

function finish(command: Command<"cart.finish_checkout">, state: CartState): Decision<CartEvent> {
  const { checkout_no, order_id, ordered } = command;
  if (state.checkout?.no !== checkout_no) return done();
  const lines = withoutOrdered(state.lines, ordered);
  const data = { ...ofCart(command), checkout_no, order_id, lines, promo_code: null };
  return done({ type: "cart.ordered", data });
}

/** Again to the same customer: the same contents, for whoever did not come to take them. */
function give(command: Command<"cart.give">, state: CartState): Decision<CartEvent> | Refusal {
  const { to_user_id } = command;
  if (state.given?.to_user_id === to_user_id) return { events: [], answer: contentsOf(state.given) };
  if (!state.open) return CART_UNKNOWN;
  if (state.checkout !== null) return UNDER_WAY;
  const contents = contentsOf(state);
  const data = { ...ofCart(command), ...contents, to_user_id };
  return { events: [{ type: "cart.given", data }], answer: contents };
}

function take(command: Command<"cart.take">, state: CartState): Decision<CartEvent> {
  const lines = merged(state.lines, command.lines);
  const promo_code = state.promo_code ?? command.promo_code;
  const { from_cart_id } = command;
  return done({ type: "cart.merged", data: { ...ofCart(command), from_cart_id, lines, promo_code } });
}

function expire(command: Command<"cart.expire">, state: CartState): Decision<CartEvent> {
  const isOld = state.open && state.user_id === null && state.changed_at <= command.unless_after;
  if (!isOld || state.checkout !== null) return done();
  return done({ type: "cart.expired", data: ofCart(command) });
}

const contentsOf = ({ lines, promo_code }: CartContents): CartContents => ({ lines, promo_code });

function evolve(state: CartState, event: CartEvent): CartState {
  const { user_id, at: changed_at } = event.data;
  switch (event.type) {
    case "cart.changed":
    case "cart.merged":
      return { ...state, ...contentsOf(event.data), open: true, user_id, changed_at };
    case "cart.checkout_begun":
      return { ...state, checkout: { no: event.data.checkout_no, at: event.data.at }, changed_at };
    case "cart.checkout_dropped":
      return { ...state, checkout: null, checkouts_ended: event.data.checkout_no, changed_at };
    case "cart.ordered": {
      const { checkout_no, order_id } = event.data;
      const ended = { checkout: null, checkouts_ended: checkout_no, last_order_id: order_id };
      return { ...state, ...contentsOf(event.data), ...ended, changed_at };
    }
    case "cart.given": {
      const given = { ...contentsOf(event.data), to_user_id: event.data.to_user_id };
      return { ...state, open: false, lines: [], promo_code: null, given, changed_at };
    }
    case "cart.expired":
      return { ...state, open: false, lines: [], promo_code: null, changed_at };
    default:
      return event satisfies never;
  }
}
