import type { Ctx } from "../../mixins/contract/caller";
import type { CommandIdentity } from "../../mixins/contract/caller";
import type { ResultOf } from "../../mixins/contract/contract";
import { act, settle } from "../../mixins/contract/implement";
import { isRefusal, orThrow, refuse } from "../../mixins/contract/refusal";
import { derivedUuid } from "../../mixins/derived-id";
import type { Runtime } from "../../mixins/runtime";
import { orderPlacedBy, type placeOrder } from "../order/order.contract";
import type { CartRef, CartRoom } from "./cart.room";
import { wishBehind } from "./cart.view";

/** A checkout is left, when it has begun so long ago: requests are given up after ten seconds. */
export const LEFT_AFTER_MS = 30_000;

const GIVEN_UP = refuse(
  "conflict",
  "cart.checkout_given_up",
  "This checkout was left in the middle; the cart is as it was, order again.",
);

type Placed = ResultOf<typeof placeOrder>;

/** Under which command the order of a checkout is placed, whoever asks for it: so there is one at most. */
export const orderCommand = (cart_id: string, checkout_no: number): CommandIdentity => ({
  id: derivedUuid(`cart ${cart_id} order ${String(checkout_no)}`),
  fingerprint: "cart.checkout",
});

/** How a checkout ends: in an order, whose lines leave the cart, or in a refusal that is final. */
export class CheckoutEnds {
  constructor(
    private readonly runtime: Pick<Runtime, "log" | "clock">,
    private readonly room: Pick<CartRoom, "tell">,
  ) {}

  async ordered(
    ctx: Ctx<unknown>,
    cart: CartRef,
    checkout_no: number,
    { order_id, items }: Placed,
  ): Promise<void> {
    const ordered = items.map(wishBehind);
    orThrow(
      await this.room.tell(ctx, cart, { type: "cart.finish_checkout", checkout_no, order_id, ordered }),
    );
  }

  async dropped(ctx: Ctx<unknown>, cart: CartRef, checkout_no: number): Promise<void> {
    orThrow(await this.room.tell(ctx, cart, { type: "cart.drop_checkout", checkout_no }));
  }

  /**
   * Ends a checkout whose outcome the log knows; one that was left is given up in the log first, so that it cannot become an
   * order any more. Says whether it has ended.
   */
  async settle(
    ctx: Ctx<unknown>,
    cart: CartRef,
    { no, at }: { readonly no: number; readonly at: string },
  ): Promise<boolean> {
    const identity = orderCommand(cart.cart_id, no);
    const { order } = await act(ctx, orderPlacedBy, { command_id: identity.id });
    if (order !== null) {
      await this.ordered(ctx, cart, no, order);
      return true;
    }
    if (this.runtime.clock.now() - Date.parse(at) < LEFT_AFTER_MS) return false;
    const outcome = await settle(this.runtime.log, identity, GIVEN_UP);
    // It was placed between the two questions: the next one finds it.
    if (!isRefusal(outcome)) return false;
    await this.dropped(ctx, cart, no);
    return true;
  }
}
