import type { ActionSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import type { ParamsOf } from "../../mixins/contract/contract";
import { implement } from "../../mixins/contract/implement";
import { isRefusal, orThrow, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import * as contracts from "./cart.contract";
import { cartEmpty, UNKNOWN_LINE, type CartState } from "./cart.decider";
import type { CartContents, CartLine } from "./cart.events";
import type { CartRef, CartRoom, Order } from "./cart.room";
import { cartView, priced, wishBehind, wishOf, type Priced, type Wish } from "./cart.view";

const NOTHING: CartContents = { lines: [], promo_code: null };

type View = contracts.CartView;

/** The cart as it is now; a guest without one sees an empty one. */
async function shown(
  room: CartRoom,
  ctx: Ctx<unknown>,
  cart: CartRef | undefined,
  branch_id?: string,
): Promise<View> {
  if (cart === undefined) return cartView(ctx, NOTHING, 0, branch_id);
  const { state, position } = await room.look(ctx, cart);
  return cartView(ctx, state, position, branch_id);
}

/**
 * Edits the caller's cart and shows it. A repetition shows it as it is by then: prices have no "first answer".
 * @param without what a guest without a cart is told; else an empty one is shown.
 */
async function edited(
  room: CartRoom,
  ctx: Ctx<unknown>,
  orderOf: (cart: CartRef) => Order | Promise<Order>,
  without?: Refusal,
): Promise<View> {
  const cart = await room.meant(ctx);
  if (cart !== undefined) orThrow(await room.edit(ctx, cart, () => orderOf(cart)));
  else if (without !== undefined) orThrow<never>(without);
  return shown(room, ctx, cart);
}

/** Puts lines into the caller's cart; a guest without one, or whose cart is over, gets a new one. */
export async function added(
  room: CartRoom,
  ctx: Ctx<unknown>,
  wishesOf: () => Promise<readonly CartLine[]>,
): Promise<View> {
  const cart = await room.meant(ctx);
  if (cart !== undefined) {
    const may_open = cart.user_id !== null;
    const outcome = await room.edit(ctx, cart, async () => ({
      type: "cart.add",
      wishes: await wishesOf(),
      may_open,
    }));
    if (!isRefusal(outcome) || outcome.code !== "cart.unknown") {
      orThrow(outcome);
      return shown(room, ctx, cart);
    }
  }
  const wishes = await wishesOf();
  const fresh = room.forGuest(ctx);
  orThrow(await room.tell(ctx, fresh, { type: "cart.add", wishes, may_open: true }));
  return shown(room, ctx, fresh);
}

/** What the menu could price, in its form, as lines of their own. */
export function linesOf({ quote }: Priced, ids: Runtime["ids"]): CartLine[] {
  return (quote?.items ?? []).map((item) => ({ line_id: ids.uuid(), ...wishBehind(item) }));
}

/** One wish in the menu's form. @throws RefusedError when the menu does not have it; `menu.unknown_item` as not found */
async function lineOf({ ids }: Runtime, ctx: Ctx<unknown>, wish: Wish): Promise<CartLine> {
  const offer = await priced(ctx, [wish], null);
  const problem = offer.problems.get(0);
  const [line] = linesOf(offer, ids);
  if (line !== undefined) return line;
  if (problem === undefined) throw new Error("The menu neither priced a wish nor refused it.");
  const { code, detail, data } = problem;
  return orThrow<never>(code === "menu.unknown_item" ? refuse("not_found", code, detail, data) : problem);
}

/** What the shop's pages do with the cart before it is ordered. */
export function editActions(runtime: Runtime, room: CartRoom): Record<string, ActionSchema> {
  return {
    get: implement(contracts.getCart, async (ctx) =>
      shown(room, ctx, await room.meant(ctx), ctx.params.branch_id),
    ),
    add: implement(contracts.addToCart, async (ctx) => {
      const { menu_item_id, quantity = 1, extras = [], exclude_ingredients = [] } = ctx.params;
      const wish = { menu_item_id, quantity, extras, exclude_ingredients };
      return added(room, ctx, async () => [await lineOf(runtime, ctx, wish)]);
    }),
    update: updateAction(runtime, room),
    remove: implement(contracts.removeFromCart, (ctx) =>
      edited(room, ctx, () => ({ type: "cart.remove", id: ctx.params.id.toLowerCase() }), UNKNOWN_LINE),
    ),
    clear: implement(contracts.clearCart, (ctx) => edited(room, ctx, () => ({ type: "cart.clear" }))),
    set_promo: implement(contracts.setCartPromo, (ctx) =>
      edited(
        room,
        ctx,
        async (cart) => {
          const { state } = await room.look(ctx, cart);
          return { type: "cart.set_promo", promo_code: await acceptedPromo(ctx, state) };
        },
        cartEmpty(null),
      ),
    ),
    remove_promo: implement(contracts.removeCartPromo, (ctx) =>
      edited(room, ctx, () => ({ type: "cart.set_promo", promo_code: null })),
    ),
    merge: implement(contracts.mergeCart, async (ctx) => shown(room, ctx, await room.meant(ctx))),
  };
}

/** The code in the menu's form. @throws RefusedError when it does not hold for what is in the cart, or nothing of that can be had */
async function acceptedPromo(ctx: Ctx<ParamsOf<typeof contracts.setCartPromo>>, cart: CartState) {
  if (cart.lines.length === 0) return orThrow<never>(cartEmpty(cart.last_order_id));
  const { quote, promo_problem, problems } = await priced(ctx, cart.lines.map(wishOf), ctx.params.code);
  const refusal = promo_problem ?? [...problems.values()][0];
  if (promo_problem !== null || quote === null) return orThrow<never>(refusal ?? cartEmpty(null));
  return quote.promo_code;
}

function updateAction(runtime: Runtime, room: CartRoom): ActionSchema {
  return implement(contracts.updateCart, (ctx) =>
    edited(room, ctx, (cart) => changeOf(runtime, room, ctx, cart), UNKNOWN_LINE),
  );
}

/** What an update changes of its line, in the menu's form. @throws RefusedError when the menu does not have it so */
async function changeOf(
  runtime: Runtime,
  room: CartRoom,
  ctx: Ctx<ParamsOf<typeof contracts.updateCart>>,
  cart: CartRef,
): Promise<Order> {
  const { quantity, extras, exclude_ingredients } = ctx.params;
  const line_id = ctx.params.line_id.toLowerCase();
  const order = { type: "cart.update" as const, line_id, ...(quantity === undefined ? {} : { quantity }) };
  if ((extras === undefined && exclude_ingredients === undefined) || quantity === 0) return order;
  const { state } = await room.peek(ctx, cart);
  const line = orThrow(state.lines.find((one) => one.line_id === line_id) ?? UNKNOWN_LINE);
  const wish = {
    ...wishOf(line),
    ...(extras && { extras }),
    ...(exclude_ingredients && { exclude_ingredients }),
  };
  const wanted = await lineOf(runtime, ctx, { ...wish, quantity: 1 });
  return {
    ...order,
    ...(extras && { extras: wanted.extras }),
    ...(exclude_ingredients && { exclude_ingredients: wanted.exclude_ingredients }),
  };
}
