import type { Caller, Role } from "../../../mixins/contract/caller";
import type { Position } from "../../../mixins/event-log/event-log";
import type { Announcement } from "./announcements";
import { CLOSE, type CloseReason } from "./close-reasons";
import { orderTopic, topicsOf, viewRoleOf, type Audience } from "./doors";
import type { Frame } from "./frame";
import type { SocketLimits } from "./socket-limits";
import type { SocketCounters } from "./socket-metrics";

/** One connection, whichever way it came in. */
export interface Connection {
  /** Queues a message; `written` is called once it has left this process, or never. */
  send(frame: Frame, written: () => void): void;
  /**
   * Says goodbye behind what is queued, with the position to come back at, then cuts the connection when the client does
   * not take it in time.
   */
  close(reason: CloseReason, resume_at: Position): void;
}

/** A client as the hub sees it: what it hears, up to where it has heard it, and how much it has yet to take. */
export class Client {
  /** Every message for this client up to here was sent. */
  position: Position = 0;
  /** Who feeds it: then it has heard everything up to the feeder's position as well. */
  feeder: { readonly position: Position } | undefined;
  /** Changes when the client's identity does, which ends a catching-up under way. */
  generation = 0;
  role: Role;
  #topics: Set<string>;
  readonly #tracked = new Set<string>();
  #waiting_messages = 0;
  #waiting_bytes = 0;
  #closed = false;
  #drained: (() => void)[] = [];

  constructor(
    readonly audience: Audience,
    caller: Caller,
    private readonly connection: Connection,
    private readonly limits: SocketLimits,
    private readonly counters: SocketCounters,
  ) {
    this.role = viewRoleOf(audience, caller);
    this.#topics = new Set(topicsOf(audience, caller));
  }

  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whoever can wait should, before it sends this client more. */
  get half_full(): boolean {
    const { waiting_bytes_max, waiting_messages_max } = this.limits;
    return this.#waiting_bytes * 2 > waiting_bytes_max || this.#waiting_messages * 2 > waiting_messages_max;
  }

  get tracked_orders(): ReadonlySet<string> {
    return this.#tracked;
  }

  /** Where it can resume, here or at another node, without missing anything. */
  get resumes_at(): Position {
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

  /** Queues a message; a client whose queue is full is dropped instead, and nobody else notices. */
  send(frame: Frame): void {
    if (this.#closed) return;
    const bytes = frame.json.length;
    if (
      this.#waiting_messages >= this.limits.waiting_messages_max ||
      this.#waiting_bytes + bytes > this.limits.waiting_bytes_max
    ) {
      this.counters.dropped_slow.inc();
      this.close(CLOSE.slowConsumer);
      return;
    }
    this.#waiting_messages++;
    this.#waiting_bytes += bytes;
    this.counters.messages_sent++;
    this.connection.send(frame, () => this.#written(bytes));
  }

  /** Resolves when the queue is empty, or the client gone: how a catching-up goes at its client's pace. */
  async drained(): Promise<void> {
    if (this.#closed || this.#waiting_messages === 0) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.gone();
    this.connection.close(reason, this.resumes_at);
  }

  /** The connection has ended, by whomever. */
  gone(): void {
    this.#closed = true;
    this.#release();
  }

  #written(bytes: number): void {
    this.#waiting_messages--;
    this.#waiting_bytes -= bytes;
    if (this.#waiting_messages === 0) this.#release();
  }

  #release(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }
}
