import type { Caller, Role } from "../../../mixins/contract/caller";
import type { Position } from "../../../mixins/event-log/event-log";
import type { Announcement } from "./announcements";
import { cartTopic, orderTopic, topicsOf, viewRoleOf, type Audience } from "./doors";
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
  role: Role;
  #topics: Set<string>;
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
    this.role = viewRoleOf(audience, caller);
    this.#topics = new Set(topicsOf(audience, caller));
  }

  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  get tracked_orders(): ReadonlySet<string> {
    return this.#tracked;
  }

  override get resumes_at(): Position {
    return Math.max(this.position, this.feeder?.position ?? 0);
  }

  /** Whether an announcement is for this client, as far as its topics go. */
  hears(announcement: Announcement): boolean {
    return (
      announcement.audiences.includes(this.audience) &&
      announcement.topics.some((topic) => this.#topics.has(topic))
    );
  }

  /** Becomes somebody else (a guest who signs in). Only while it is not in the hub. */
  become(caller: Caller): void {
    this.role = viewRoleOf(this.audience, caller);
    this.#topics = new Set([...topicsOf(this.audience, caller), ...[...this.#tracked].map(orderTopic)]);
    if (this.#cart_id !== undefined) this.#topics.add(cartTopic(this.#cart_id));
  }

  /** A guest's cart, in place of the one before. Only while it is not in the hub. */
  followCart(cart_id: string): void {
    if (this.#cart_id !== undefined) this.#topics.delete(cartTopic(this.#cart_id));
    this.#cart_id = cart_id;
    this.#topics.add(cartTopic(cart_id));
  }

  /** Only while it is not in the hub. */
  track(order_id: string): void {
    this.#tracked.add(order_id);
    this.#topics.add(orderTopic(order_id));
  }

  /** Only while it is not in the hub. */
  untrack(order_id: string): void {
    this.#tracked.delete(order_id);
    this.#topics.delete(orderTopic(order_id));
  }
}
