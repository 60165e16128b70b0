import type { Position } from "../../../mixins/event-log/event-log";
import { CLOSE, type CloseReason } from "./close-reasons";
import type { Frame } from "./frame";
import type { SocketLimits } from "./socket-limits";
import type { SocketCounters } from "./socket-metrics";

/** One connection, whichever way it came in. */
export interface Connection {
  /** Queues a message; `written` is called once it has left this process, or never. */
  send(frame: Frame, written: () => void): void;
  /**
   * Says goodbye behind what is queued, with the position to come back at where there is one, then cuts the connection when
   * the client does not take it in time.
   */
  close(reason: CloseReason, resume_at: Position | undefined): void;
}

/** What one client has yet to take, with its bounds: a slow client is dropped, and nobody else notices. */
export class Outbox {
  #waiting_messages = 0;
  #waiting_bytes = 0;
  #closed = false;
  #drained: (() => void)[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly limits: SocketLimits,
    private readonly counters: SocketCounters,
  ) {}

  get closed(): boolean {
    return this.#closed;
  }

  /** Whoever can wait should, before it sends this client more. */
  get half_full(): boolean {
    const { waiting_bytes_max, waiting_messages_max } = this.limits;
    return this.#waiting_bytes * 2 > waiting_bytes_max || this.#waiting_messages * 2 > waiting_messages_max;
  }

  /** Where it can resume, here or at another node, without missing anything; undefined where nothing can be resumed. */
  get resumes_at(): Position | undefined {
    return undefined;
  }

  /** Queues a message; a client whose queue is full is dropped instead. */
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
