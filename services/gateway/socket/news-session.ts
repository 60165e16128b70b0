import { GUEST, type Caller } from "../../../mixins/contract/caller";
import { act } from "../../../mixins/contract/implement";
import { refuse, refusalOf, type Refusal } from "../../../mixins/contract/refusal";
import { cartIdOf } from "../../cart/cart.events";
import { trackOrder } from "../../order/order.contract";
import type { Place } from "../places";
import type { Identity } from "./admission";
import { Client } from "./client";
import { readFrame, type ClientFrame, type Wish } from "./client-frame";
import { CLOSE } from "./close-reasons";
import type { NewsDoor } from "./doors";
import type { SocketHub } from "./hub";
import type { Connection } from "./outbox";
import { Session, type Complaint, type SessionContext } from "./session";

type NewsFrame = Exclude<ClientFrame, { type: "auth" }>;

/** A session that hears of the log: whoever is admitted is in the hub. */
export class NewsSession extends Session<NewsFrame, Client> {
  protected readonly read = readFrame;

  constructor(
    door: NewsDoor,
    private readonly wish: Wish,
    connection: Connection,
    private readonly context: SessionContext,
    private readonly hub: SocketHub,
    place: Place,
  ) {
    const { limits, counters } = context;
    super(door, new Client(door.audience, GUEST, connection, limits, counters), context, place);
    this.client.position = wish.after ?? hub.position;
  }

  protected leave(): void {
    this.hub.leave(this.client);
  }

  protected async handle(frame: NewsFrame): Promise<void> {
    switch (frame.type) {
      case "track":
        return this.#track(frame);
      case "cart": {
        this.#followCart(frame.token);
        return;
      }
      case "ping": {
        this.hub.tell(this.client, "pong", {});
        return;
      }
    }
  }

  protected async enter(identity: Identity): Promise<void> {
    this.client.become(identity.caller);
    if (this.wish.cart !== undefined) this.client.followCart(cartIdOf(this.wish.cart));
    const orders = await Promise.all(
      this.wish.track.map((token) => this.#orderOf(token, identity.caller, this.wish.after)),
    );
    if (this.client.closed) return;
    this.admitted(identity);
    for (const order of orders) {
      if (typeof order === "string") this.client.track(order);
      else {
        this.context.counters.refused.inc();
        this.complain(order);
      }
    }
    this.#goOn(this.hub.enter(this.client, this.wish.after));
  }

  protected tellAuthenticated({ role }: Caller): void {
    this.hub.tell(this.client, "authenticated", { role });
  }

  protected rightsChanged(before: Caller, now: Caller): void {
    const after = before.user_id === null ? this.wish.after : undefined;
    this.#goOn(this.hub.reenter(this.client, after, () => this.client.become(now)));
  }

  protected complain({ code, detail, data }: Complaint): void {
    this.hub.tell(this.client, "error", { ...data, code, detail });
  }

  /** Catching up takes as long as the client takes to read; its frames are answered meanwhile. */
  #goOn(catchingUp: Promise<void>): void {
    catchingUp.catch((error: unknown) => {
      this.failed(error);
      this.client.close(CLOSE.unavailable);
    });
  }

  /** Only who holds the token can name the cart; whether there is one yet makes no difference. */
  #followCart(token: string): void {
    if (this.caller === undefined) {
      this.complain({ code: "auth.required", detail: "Sign in first." });
      return;
    }
    this.hub.change(this.client, () => this.client.followCart(cartIdOf(token)));
    this.hub.tell(this.client, "cart_followed", {});
  }

  async #track({ token, after }: { token: string; after?: number }): Promise<void> {
    if (this.caller === undefined) {
      this.complain({ code: "auth.required", detail: "Sign in first." });
      return;
    }
    const { limits } = this.context;
    if (this.client.tracked_orders.size >= limits.tracked_max) {
      this.complain({ code: "track.too_many", detail: `At most ${limits.tracked_max} orders.` });
      return;
    }
    const order = await this.#orderOf(token, this.caller, after);
    if (typeof order !== "string") {
      this.complain(order);
      return;
    }
    this.hub.change(this.client, () => this.client.track(order));
    this.hub.tell(this.client, "tracked", { order_id: order });
  }

  /** The order that a tracking token stands for; `after` is the position of its placement, where the client knows it. */
  async #orderOf(token: string, caller: Caller, after?: number): Promise<string | Refusal> {
    if (this.client.audience !== "shop")
      return refuse("forbidden", "track.shop_only", "Only the shop tracks by token.");
    const { broker, ids } = this.context.runtime;
    try {
      const params = after === undefined ? { token } : { token, after };
      const order = await act(broker, trackOrder, params, { meta: { caller, request_id: ids.uuid() } });
      return order.order_id;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusal;
    }
  }
}
