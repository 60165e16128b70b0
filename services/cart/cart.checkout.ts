import type { CommandIdentity, Ctx } from "../../mixins/contract/caller";
import type { ParamsOf, ResultOf } from "../../mixins/contract/contract";
import { act, commandOf, settle } from "../../mixins/contract/implement";
import { isRefusal, orThrow, refusalOf, type Refusal } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import { orderPlacedBy, placeOrder } from "../order/order.contract";
import { orderCommand } from "./cart.checkout-ends";
import type { checkoutCart } from "./cart.contract";
import { cartEmpty, type BegunAnswer } from "./cart.decider";
import type { CartContents } from "./cart.events";
import { under, type CartRef, type CartRoom } from "./cart.room";
import { wishOf } from "./cart.view";

type Placed = ResultOf<typeof placeOrder>;
type HowAndWhere = ParamsOf<typeof checkoutCart>;

/**
 * Orders what is in a cart. Its life:
 *
 * - *begun*: the cart's stream has a checkout with a number. Who comes meanwhile joins it; a command with a key of its client's
 *   is remembered with that number, for its repetitions.
 * - *placed* or *refused*, by `order.place` under an id that is derived from cart and number. The log gives that id one answer,
 *   for ever, whoever asks from wherever; so there is one order at most.
 * - *ended*: what was ordered leaves the cart, or the number is given up. Whoever dies before this leaves it to the next who
 *   looks at the cart, or to the job.
 *
 * Where nobody knows what became of the order (a fault), the checkout stays begun, and the next attempt finds out.
 */
export async function checkout(
  { log }: Pick<Runtime, "log">,
  room: CartRoom,
  ctx: Ctx<HowAndWhere>,
): Promise<Placed> {
  const cart = orThrow((await room.meant(ctx)) ?? cartEmpty(null));
  const keyed = commandOf(ctx).fresh !== true;
  const begun = orThrow(await room.edit(ctx, cart, () => ({ type: "cart.begin_checkout", keyed })));
  const { checkout_no } = begun.answer as BegunAnswer;
  const { state } = await room.peek(ctx, cart);
  if (state.checkouts_ended >= checkout_no || state.lines.length === 0)
    return earlier({ log }, room, ctx, cart, { checkout_no, refusal: cartEmpty(state.last_order_id) });
  const placed = await place({ log }, ctx, cart, checkout_no, state);
  if (isRefusal(placed)) {
    await room.ends.dropped(ctx, cart, checkout_no);
    return orThrow<Placed>(placed);
  }
  await room.ends.ordered(ctx, cart, checkout_no, placed);
  return placed;
}

/** What became of a checkout that has ended, or whose lines somebody took out meanwhile: that one is refused for good. */
async function earlier(
  { log }: Pick<Runtime, "log">,
  room: CartRoom,
  ctx: Ctx<HowAndWhere>,
  cart: CartRef,
  { checkout_no, refusal }: { readonly checkout_no: number; readonly refusal: Refusal },
): Promise<Placed> {
  const outcome = await settled({ log }, ctx, orderCommand(cart.cart_id, checkout_no), refusal);
  if (isRefusal(outcome)) {
    await room.ends.dropped(ctx, cart, checkout_no);
    return orThrow<Placed>(outcome);
  }
  ctx.meta.replayed = true;
  await room.ends.ordered(ctx, cart, checkout_no, outcome);
  return outcome;
}

/** Makes a refusal the answer of a checkout, unless it has one: then that one, an order or a refusal, is given. */
async function settled(
  { log }: Pick<Runtime, "log">,
  ctx: Ctx<unknown>,
  identity: CommandIdentity,
  refusal: Refusal,
): Promise<Placed | Refusal> {
  const outcome = await settle(log, identity, refusal);
  if (isRefusal(outcome)) return outcome;
  const { order } = await act(ctx, orderPlacedBy, { command_id: identity.id });
  if (order === null) throw new Error(`Command ${identity.id} is answered, but its order is not there.`);
  return order;
}

/** The order of a checkout, or the refusal that is final for it. @throws whatever leaves the outcome unknown */
async function place(
  { log }: Pick<Runtime, "log">,
  ctx: Ctx<HowAndWhere>,
  { cart_id }: CartRef,
  checkout_no: number,
  { lines, promo_code }: CartContents,
): Promise<Placed | Refusal> {
  const identity = orderCommand(cart_id, checkout_no);
  const named = under(ctx, identity);
  const wish = {
    ...ctx.params,
    ...(promo_code === null ? {} : { promo_code }),
    items: lines.map(wishOf),
    channel: "shop" as const,
  };
  try {
    const placed = await act(named, placeOrder, wish);
    if (named.meta.replayed === true) ctx.meta.replayed = true;
    return placed;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    // Most refusals are the command's answer by now; those that came before anything was asked of the log become it here.
    return settled({ log }, ctx, identity, refusal);
  }
}
