import type { Caller, Role } from "../../../mixins/contract/caller";
import type { Position } from "../../../mixins/event-log/event-log";
import type { Audience } from "./doors";
import { BY_TOKEN, cartTopic, entitlementsOf, frameBy, orderTopic, type Entitlements } from "./entitlements";
import type { Broadcast, Frame } from "./frame";
import { Outbox, type Connection } from "./outbox";
import type { SocketLimits } from "./socket-limits";
import type { SocketCounters } from "./socket-metrics";

/** A client as the hub sees it: what it hears, up to where it has heard it, and how much it has yet to take. */
export class Client extends Outbox {
  /** Every message for this client up to here was sent. */
  position: Position = 0;
  /** Who feeds it: then it has heard everything up to the feeder's position as well. */
  feeder: { readonly position: Position } | undefined;
  /** Changes when the client's identity does, which ends a catching-up under way. */
  generation = 0;
  #entitlements: Map<string, Role>;
  readonly #tracked = new Set<string>();
  #cart_id: string | undefined;

  constructor(
    readonly audience: Audience,
    caller: Caller,
    connection: Connection,
    limits: SocketLimits,
    counters: SocketCounters,
  ) {
    super(connection, limits, counters);
    this.#entitlements = entitlementsOf(audience, caller);
  }

  get entitlements(): Entitlements {
    return this.#entitlements;
  }

  get tracked_orders(): ReadonlySet<string> {
    return this.#tracked;
  }

  override get resumes_at(): Position {
    return Math.max(this.position, this.feeder?.position ?? 0);
  }

  /** A message as this client is to see it; null: it is not for this client. */
  frameOf(broadcast: Broadcast): Frame | null {
    return frameBy(this.#entitlements, this.audience, broadcast);
  }

  /** Becomes somebody else (a guest who signs in). Only while it is not in the hub. */
  become(caller: Caller): void {
    this.#entitlements = entitlementsOf(this.audience, caller);
    for (const order_id of this.#tracked) this.#entitlements.set(orderTopic(order_id), BY_TOKEN);
    if (this.#cart_id !== undefined) this.#entitlements.set(cartTopic(this.#cart_id), BY_TOKEN);
  }

  /** A guest's cart, in place of the one before. Only while it is not in the hub. */
  followCart(cart_id: string): void {
    if (this.#cart_id !== undefined) this.#entitlements.delete(cartTopic(this.#cart_id));
    this.#cart_id = cart_id;
    this.#entitlements.set(cartTopic(cart_id), BY_TOKEN);
  }

  /** Only while it is not in the hub. */
  track(order_id: string): void {
    this.#tracked.add(order_id);
    this.#entitlements.set(orderTopic(order_id), BY_TOKEN);
  }
}
