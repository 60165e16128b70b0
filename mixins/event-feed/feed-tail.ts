import { UnavailableError } from "../contract/refusal";
import type { EventLog, Position, RecordedEvent } from "../event-log/event-log";
import type { Logger } from "../logger";
import { FeedWindow, assertFollows } from "./feed-window";

const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 5_000;

export interface TailLimits {
  /** Events in one reading of the log, and about the most that one `onBatch` gets. */
  readonly batch_max: number;
  /** Events kept for those that lag a little; who lags more reads the log again. A few kilobytes each. */
  readonly window_max: number;
}

/** Where the tail's news comes from. */
export interface TailSource {
  /** Begins to feed the tail. Returns "stop". */
  open(tail: TailInlet): () => void;
}

/** The tail, as its source sees it. */
export interface TailInlet {
  /** Position of the newest event in memory; undefined while no subscriber has got to the log's end. */
  readonly last: Position | undefined;
  /** There may be something in the log beyond what is in memory: it is read as soon as somebody waits for it. */
  readOn(): void;
  /** Takes events that are in memory anyway; false when they do not follow: those in between have to be read. */
  take(events: readonly RecordedEvent[]): boolean;
}

/**
 * The log's end in memory, for all subscribers of a process that have got there. Its source brings what is new, or says that
 * there is something to read. Reading is on demand: only while somebody waits for news, so many busy subscribers cost one
 * reading, and none when all are busy. Whatever the source does, events come in by {@link FeedWindow}, in order and once.
 */
export class FeedTail implements TailInlet {
  readonly #waiting = new Set<() => void>();
  #window: FeedWindow | undefined;
  #failure: Error | undefined;
  /** There may be events in the log beyond the window. */
  #dirty = true;
  #reading = false;
  #closeSource: (() => void) | undefined;
  #stopFollowing: (() => void) | undefined;

  constructor(
    private readonly log: Pick<EventLog, "readAll" | "lineage">,
    private readonly logger: Logger,
    private readonly limits: TailLimits,
    private readonly source: TailSource,
  ) {}

  /** Begins to follow the log; idle until somebody has reached its end. */
  open(): void {
    this.#dirty = true;
    this.#stopFollowing = this.log.lineage.onChange(() => {
      this.#forget();
      this.#tellAll();
    });
    this.#closeSource = this.source.open(this);
  }

  /** Forgets everything; may be opened again. */
  close(): void {
    this.#closeSource?.();
    this.#stopFollowing?.();
    this.#forget();
  }

  /** What is in memory may be of another log. */
  #forget(): void {
    this.#window = undefined;
    this.#failure = undefined;
    this.#dirty = true;
  }

  /**
   * Events after a position that are in memory: none when the subscriber is at the end and should {@link wait}, undefined
   * when it has to read the log itself.
   * @throws Error when the log was found to have a gap.
   */
  after(position: Position): readonly RecordedEvent[] | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#window?.after(position, this.limits.batch_max);
  }

  /** Takes what a subscriber has read by itself. Its having reached the end is what starts the window. */
  offer(after: Position, events: readonly RecordedEvent[]): void {
    if (this.#window === undefined && events.length < this.limits.batch_max)
      this.#window = new FeedWindow(after, this.limits.window_max);
    this.#push(events);
  }

  /** Resolves when there may be something new, or when `stopped` is called. */
  wait(): { readonly news: Promise<void>; readonly stop: () => void } {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const stop = (): void => {
      this.#waiting.delete(stop);
      resolve(undefined);
    };
    this.#waiting.add(stop);
    this.#readOn();
    return { news: promise, stop };
  }

  get last(): Position | undefined {
    return this.#window?.last;
  }

  readOn(): void {
    this.#dirty = true;
    this.#readOn();
  }

  take(events: readonly RecordedEvent[]): boolean {
    // While nobody is at the end nothing is kept: who gets there begins by looking at the log.
    return this.#window === undefined || this.#push(events);
  }

  /** False when the events do not follow: some in between have to be read. */
  #push(events: readonly RecordedEvent[]): boolean {
    const before = this.#window?.last;
    const follows = this.#window?.push(events) ?? false;
    if (this.#window?.last !== before) this.#tellAll();
    return follows;
  }

  #tellAll(): void {
    for (const tell of [...this.#waiting]) tell();
  }

  #readOn(): void {
    if (!this.#dirty || this.#reading || this.#waiting.size === 0 || this.#window === undefined) return;
    this.#reading = true;
    void this.#read(this.#window).finally(() => {
      this.#reading = false;
      this.#readOn();
    });
  }

  async #read(window: FeedWindow): Promise<void> {
    for (let pause_ms = PAUSE_FIRST_MS; this.#window === window && this.#dirty && this.#waiting.size > 0;) {
      try {
        this.#dirty = false;
        const after = window.last;
        const events = await this.log.readAll(after, this.limits.batch_max);
        assertFollows(events, after);
        if (events.length === this.limits.batch_max) this.#dirty = true;
        if (this.#window !== window) return;
        this.#push(events);
        pause_ms = PAUSE_FIRST_MS;
      } catch (error) {
        this.#dirty = true;
        if (!(error instanceof UnavailableError)) {
          this.#fail(error as Error);
          return;
        }
        this.logger.warn(`event feed: the log does not answer, trying again in ${String(pause_ms)} ms`);
        await new Promise((resolve) => setTimeout(resolve, pause_ms).unref());
        pause_ms = Math.min(2 * pause_ms, PAUSE_MAX_MS);
      }
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#tellAll();
  }
}
