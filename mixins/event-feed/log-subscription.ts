import { setTimeout as pause } from "node:timers/promises";
import { UnavailableError } from "../contract/refusal";
import type { FeedLog, Position, RecordedEvent } from "../event-log/event-log";
import { markOf, type LogMark } from "../event-log/lineage";
import type { Logger } from "../logger";
import type { FeedSubscription } from "./event-feed";
import type { FeedTail } from "./feed-tail";
import { assertFollows } from "./feed-window";
import { PositionGate } from "./position-gate";

const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 10_000;
const ANYTHING = (): boolean => true;

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
 * Whenever the log may be another one, it looks first whether the event at its position is still there; if not, it goes on from
 * where its subscriber says.
 *
 * So a slow subscriber costs no memory, holds nobody up, and finds its way back by itself.
 */
export class LogSubscription {
  readonly #gate: PositionGate;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #stopWaiting: (() => void) | undefined;
  failure: Error | undefined;
  /** What stands at the position; undefined: not known yet. */
  #mark: LogMark | undefined;
  /** The lineage's generation under which that was looked at. */
  #generation = -1;

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
        if (this.#isOutdated() && !(await this.#settle())) break;
        const events =
          this.deps.tail.after(this.position) ??
          (await this.#insist("does not get events", () => this.#catchUp()));
        if (events === undefined) break;
        if (this.#isOutdated()) continue;
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

  #isOutdated(): boolean {
    return this.#generation !== this.deps.log.lineage.generation;
  }

  /** Finds out where to go on in the log as it is. False when it was stopped meanwhile. */
  async #settle(): Promise<boolean> {
    const { generation } = this.deps.log.lineage;
    const mark = await this.#insist("does not know where it is", () => this.#markHere());
    if (mark === undefined) return false;
    if (mark === null) {
      const after = await this.#insist("cannot go back", () => this.subscription.wentBack(), ANYTHING);
      if (after === undefined) return false;
      this.deps.logger.info(
        `event feed: the log went back, ${this.name} goes on after ${String(after)} instead of ${String(this.position)}`,
      );
      this.#gate.moveTo(after);
      // What stands there is of the log that it was read from: it is looked at when there is more to say of that.
      this.#mark = (await this.#insist("does not know where it is", () => this.#markAt(after))) ?? undefined;
    } else this.#mark = mark;
    this.#generation = generation;
    return !this.#isStopped();
  }

  /** null: the log does not hold what was delivered last. */
  async #markHere(): Promise<LogMark | null> {
    if (this.#mark === undefined) return this.#markAt(this.position);
    return (await this.deps.log.lineage.holds(this.#mark)) ? this.#mark : null;
  }

  async #markAt(position: Position): Promise<LogMark | null> {
    return (await this.deps.log.lineage.markAt(position)) ?? null;
  }

  /** Reads where the tail does not reach. */
  async #catchUp(): Promise<readonly RecordedEvent[]> {
    const after = this.position;
    const events = await this.deps.log.readAll(after, this.deps.batch_max);
    // Read of a log that is another one by now: not kept, and not delivered either.
    if (this.#isOutdated()) return [];
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
      ANYTHING,
      () => this.#isOutdated(),
    );
    if (done !== true) return;
    const last = events.at(-1);
    if (last !== undefined) this.#mark = markOf(last);
    this.#gate.moveTo(through);
  }

  async #waitForNews(): Promise<void> {
    const { news, stop } = this.deps.tail.wait();
    this.#stopWaiting = stop;
    if (this.#isStopped()) stop();
    await news;
    this.#stopWaiting = undefined;
  }

  /** Repeats what fails, after growing pauses, until it succeeds; undefined when the subscription is stopped, or it is in vain. */
  async #insist<T>(
    complaint: string,
    work: () => Promise<T>,
    mayPass: (error: unknown) => boolean = (error) => error instanceof UnavailableError,
    inVain: () => boolean = () => false,
  ): Promise<T | undefined> {
    const isOver = (): boolean => this.#isStopped() || inVain();
    for (let pause_ms = PAUSE_FIRST_MS; !isOver(); pause_ms = Math.min(2 * pause_ms, PAUSE_MAX_MS)) {
      try {
        return await work();
      } catch (error) {
        if (isOver()) break;
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
