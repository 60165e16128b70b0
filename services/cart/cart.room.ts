import { randomUUID } from "node:crypto";
import type { ActionSchema } from "moleculer";
import type { ActorHost } from "../../mixins/actor/actor-host";
import { createActorHost } from "../../mixins/actor/create-actor-host";
import { PlacedActors } from "../../mixins/actor/placed-actors";
import type { CommandIdentity, Ctx } from "../../mixins/contract/caller";
import { act, callerOf, commandOf, firstAnswer, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, orThrow, type Refusal } from "../../mixins/contract/refusal";
import type { Position } from "../../mixins/event-log/event-log";
import { derivedUuid } from "../../mixins/derived-id";
import type { Runtime } from "../../mixins/runtime";
import { takeGuestsCart } from "./cart.contract";
import { CART_UNKNOWN, cartDecider, type CartCommand, type CartState } from "./cart.decider";
import { CART_STREAMS, cartIdOf, cartStream, type CartContents } from "./cart.events";
import { CheckoutEnds } from "./cart.checkout-ends";

/** A snapshot is small; a regular's cart has thousands of events. */
const SNAPSHOT_EVERY = 100;
const SNAPSHOT_SCHEMA_V = 1;

/** Which cart, and whose. */
export interface CartRef {
  readonly cart_id: string;
  /** Null: a guest's. */
  readonly user_id: string | null;
}

/** A command without what every command has. */
export type Order<C = CartCommand> = C extends CartCommand ? Omit<C, "cart_id" | "user_id" | "at"> : never;

export interface SeenCart {
  readonly state: CartState;
  /** Of its newest event. */
  readonly position: Position;
}

/** The carts: where they live, and how they are told. */
export class CartRoom {
  readonly host: ActorHost<CartState, CartCommand>;
  readonly #placed: PlacedActors<CartCommand>;
  readonly ends: CheckoutEnds;

  constructor(private readonly runtime: Runtime) {
    const { log, clock, broker } = runtime;
    this.host = createActorHost(
      { log, clock, logger: broker.getLogger("cart") },
      {
        kind: "cart",
        decider: cartDecider,
        given: () => Promise.resolve({ given: undefined }),
        snapshot: {
          schema_v: SNAPSHOT_SCHEMA_V,
          save: (state) => state,
          load: (saved) => saved as CartState,
        },
        limits: { snapshot_every: SNAPSHOT_EVERY },
      },
    );
    this.#placed = new PlacedActors(runtime, this.host, {
      action: "cart.tell_cart",
      streams: CART_STREAMS,
      room: "cart",
    });
    this.ends = new CheckoutEnds(runtime, this);
  }

  /** The action by which other nodes tell the carts that live here. */
  tellCart(): ActionSchema {
    return this.#placed.action();
  }

  /**
   * The cart that a call is about; undefined for a guest who brings no token. Who is signed in and still carries a guest's
   * token gets that cart's contents first.
   */
  async meant(ctx: Ctx<unknown>): Promise<CartRef | undefined> {
    const { user_id } = callerOf(ctx);
    const token = ctx.meta.cart_token;
    if (user_id === null) return token === undefined ? undefined : { cart_id: cartIdOf(token), user_id };
    if (token !== undefined && (await this.#merge(ctx, cartIdOf(token), user_id)))
      ctx.meta.new_cart_token = null;
    return { cart_id: user_id, user_id };
  }

  /** A new guest's cart, under a new token for the client to keep. */
  forGuest(ctx: Ctx<unknown>): CartRef {
    const token = this.runtime.ids.token();
    ctx.meta.new_cart_token = token;
    return { cart_id: cartIdOf(token), user_id: null };
  }

  /** The cart as the log has it now, a checkout that somebody left in the middle brought to its end if that is known. */
  async look(ctx: Ctx<unknown>, cart: CartRef): Promise<SeenCart> {
    const seen = await this.peek(ctx, cart);
    const { checkout } = seen.state;
    if (checkout === null) return seen;
    return (await this.ends.settle(ctx, cart, checkout)) ? this.peek(ctx, cart) : seen;
  }

  async peek(ctx: Ctx<unknown>, cart: CartRef): Promise<SeenCart> {
    const { answer, position } = orThrow(await this.tell(ctx, cart, { type: "cart.look" }, freshCommand()));
    return { state: answer as CartState, position };
  }

  /**
   * An edit under the caller's command, which may be repeated. The cart is part of the id: one key may come to two of them.
   * What `orderOf` refuses is the command's answer, as what the cart refuses. A guest keeps the token for a time from now on.
   */
  async edit(
    ctx: Ctx<unknown>,
    cart: CartRef,
    orderOf: () => Order | Promise<Order>,
  ): Promise<CommandOutcome | Refusal> {
    const identity = commandOf(ctx);
    const id = derivedUuid(`${cart.cart_id} ${identity.id}`);
    const outcome = await this.#once(ctx, cart, orderOf, { ...identity, id });
    const { cart_token } = ctx.meta;
    if (!isRefusal(outcome) && cart.user_id === null && cart_token !== undefined)
      ctx.meta.new_cart_token = cart_token;
    return outcome;
  }

  /** Tells under an id under which the first answer counts. */
  #once(
    ctx: Ctx<unknown>,
    cart: CartRef,
    orderOf: () => Order | Promise<Order>,
    identity: CommandIdentity,
  ): Promise<CommandOutcome | Refusal> {
    const named = under(ctx, identity);
    return firstAnswer(this.runtime.log, named, async () => this.#tellAs(named, cart, await orderOf()));
  }

  /** Tells something that is the same said twice. */
  tell(
    ctx: Ctx<unknown>,
    cart: CartRef,
    order: Order,
    identity = freshCommand(),
  ): Promise<CommandOutcome | Refusal> {
    return this.#tellAs(under(ctx, identity), cart, order);
  }

  #tellAs(ctx: Ctx<unknown>, { cart_id, user_id }: CartRef, order: Order): Promise<CommandOutcome | Refusal> {
    const at = new Date(this.runtime.clock.now()).toISOString();
    return this.#placed.tell(ctx, cartStream(cart_id), { ...order, cart_id, user_id, at });
  }

  /** Adds what a guest's cart held, under the one id that this has, whoever asks: a request, or the process that follows the log. */
  take(
    ctx: Ctx<unknown>,
    user_id: string,
    from_cart_id: string,
    { lines, promo_code }: CartContents,
  ): Promise<CommandOutcome | Refusal> {
    const order = { type: "cart.take" as const, from_cart_id, lines, promo_code };
    return this.#once(ctx, { cart_id: user_id, user_id }, () => order, takeCommand(from_cart_id));
  }

  /** Whether the guest's cart is over. When it is being ordered just now, the next request tries again. */
  async #merge(ctx: Ctx<unknown>, guests_id: string, user_id: string): Promise<boolean> {
    const guests = { cart_id: guests_id, user_id: null };
    const { state } = await this.look(ctx, guests);
    if (!state.open && state.given?.to_user_id !== user_id) {
      // The client will let go of its token, and nobody can open the cart any more: not because of an end that may be lost.
      await this.runtime.log.durable();
      return true;
    }
    if (!state.open && (await this.runtime.log.findAnswers([takeCommand(guests_id).id])).length > 0)
      return true;
    const given = await this.tell(ctx, guests, { type: "cart.give", to_user_id: user_id });
    if (isRefusal(given)) return given.code === CART_UNKNOWN.code;
    const contents = given.answer as CartContents;
    await act(under(ctx, freshCommand()), takeGuestsCart, { user_id, from_cart_id: guests_id, contents });
    return true;
  }
}

const takeCommand = (guests_id: string): CommandIdentity => ({
  id: derivedUuid(`cart ${guests_id} is taken`),
  fingerprint: "cart.take",
});

const freshCommand = (): CommandIdentity => ({ id: randomUUID(), fingerprint: "", fresh: true });

/** The same call as a command of its own; what is told under it leaves the caller's command as it is. */
export function under(ctx: Ctx<unknown>, command: CommandIdentity): Ctx<unknown> {
  const own = Object.create(ctx) as Ctx<unknown>;
  own.meta = { ...ctx.meta, command };
  return own;
}
