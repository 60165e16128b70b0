import { setTimeout as pause } from "node:timers/promises";
import { UnavailableError } from "../contract/refusal";
import type { FeedLog, Position, RecordedEvent } from "../event-log/event-log";
import type { Logger } from "../logger";
import type { FeedSubscription } from "./event-feed";
import type { FeedTail } from "./feed-tail";
import { assertFollows } from "./feed-window";
import { PositionGate } from "./position-gate";

const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 10_000;

export interface SubscriptionDeps {
  readonly log: FeedLog;
  readonly logger: Logger;
  readonly tail: FeedTail;
  readonly batch_max: number;
}

/**
 * One subscriber's way along the log. It holds nothing but its position:
 *
 * - *behind* the tail's window it reads the log by itself;
 * - *within* the window it takes what the tail has in memory, all that waits for it in one batch;
 * - *at the end* it waits for the tail to tell of news.
 *
 * So a slow subscriber costs no memory, holds nobody up, and finds its way back by itself.
 */
export class LogSubscription {
  readonly #gate: PositionGate;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #stopWaiting: (() => void) | undefined;
  failure: Error | undefined;

  constructor(
    private readonly subscription: FeedSubscription,
    private readonly deps: SubscriptionDeps,
  ) {
    this.#gate = new PositionGate(
      subscription.after,
      (current, wanted) =>
        new UnavailableError(
          "feed.behind",
          `${this.name} is at ${String(current)}, not yet at ${String(wanted)}; try again.`,
        ),
    );
    this.#running = this.#run();
  }

  get name(): string {
    return this.subscription.name;
  }

  get position(): Position {
    return this.#gate.position;
  }

  reached(position: Position, timeout_ms: number): Promise<void> {
    return this.#gate.reached(position, timeout_ms);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#stopWaiting?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whoever subscribes has its handle before the first batch comes.
    await Promise.resolve();
    try {
      while (!this.#isStopped()) {
        const events =
          this.deps.tail.after(this.position) ??
          (await this.#insist("does not get events", () => this.#catchUp()));
        if (events === undefined) break;
        if (events.length > 0) await this.#deliver(events);
        else if (this.deps.tail.after(this.position)?.length === 0) await this.#waitForNews();
      }
      this.#gate.fail(
        new UnavailableError("feed.stopped", `${this.name} has stopped; try again in a moment.`),
      );
    } catch (error) {
      this.failure = error as Error;
      this.deps.logger.error(
        `event feed: ${this.name} has stopped at ${String(this.position)}: ${String(error)}`,
      );
      this.#gate.fail(this.failure);
    }
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** Reads where the tail does not reach. */
  async #catchUp(): Promise<readonly RecordedEvent[]> {
    const after = this.position;
    const events = await this.deps.log.readAll(after, this.deps.batch_max);
    assertFollows(events, after);
    this.deps.tail.offer(after, events);
    return events;
  }

  async #deliver(events: readonly RecordedEvent[]): Promise<void> {
    assertFollows(events, this.position);
    const through = this.position + events.length;
    const done = await this.#insist(
      "fails on a batch",
      async () => {
        await this.subscription.onBatch(events, through);
        return true;
      },
      () => true,
    );
    if (done === true) this.#gate.moveTo(through);
  }

  async #waitForNews(): Promise<void> {
    const { news, stop } = this.deps.tail.wait();
    this.#stopWaiting = stop;
    if (this.#isStopped()) stop();
    await news;
    this.#stopWaiting = undefined;
  }

  /** Repeats what fails, after growing pauses, until it succeeds; undefined when the subscription is stopped before. */
  async #insist<T>(
    complaint: string,
    work: () => Promise<T>,
    mayPass: (error: unknown) => boolean = (error) => error instanceof UnavailableError,
  ): Promise<T | undefined> {
    for (let pause_ms = PAUSE_FIRST_MS; !this.#isStopped(); pause_ms = Math.min(2 * pause_ms, PAUSE_MAX_MS)) {
      try {
        return await work();
      } catch (error) {
        if (this.#isStopped()) break;
        if (!mayPass(error)) throw error;
        const where = `${this.name} after ${String(this.position)}`;
        this.deps.logger.warn(
          `event feed: ${where} ${complaint}, again in ${String(pause_ms)} ms: ${String(error)}`,
        );
        await pause(pause_ms, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => undefined);
      }
    }
    return undefined;
  }
}
