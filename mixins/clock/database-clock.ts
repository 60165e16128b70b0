import type { Clock } from "../runtime";

/** A difference is worked off at this rate: the clock then goes at half or one and a half times its pace, and never back. */
const SLEW = 0.5;
/** So far behind it jumps: forward is no harm, and a machine that slept would be late for as long again. */
const JUMP_MS = 2_000;

/** One question to the database. Times `_mono` are of a clock that only runs, such as `performance.now()`. */
export interface Sample {
  readonly asked_mono: number;
  readonly answered_mono: number;
  /** What the database said, milliseconds since the epoch. */
  readonly database_ms: number;
}

/** How this node's own clock compares with the database's. */
export interface ClockReading {
  /** By how much the node's own clock is ahead of the database's; negative when it is behind. */
  readonly offset_ms: number;
  /** By how much that may be wrong: half of what the question took. */
  readonly uncertain_ms: number;
  /** By how much what this node decides by is ahead of the database's clock; negative when it is behind. */
  readonly ahead_ms: number;
}

/**
 * The database's time, wherever this node's own clock stands: all nodes of a fleet decide by one clock, and by the one that
 * dates the log. Between two samples it is carried on by a clock that nobody sets. It never goes back: a database whose
 * clock was set back is waited for, at half the pace. Before the first sample it shows the node's own time.
 */
export class DatabaseClock implements Clock {
  #at_ms: number;
  #at_mono: number;
  /** By how much we showed more than the database, at {@link #at_mono}. */
  #ahead_ms = 0;
  #last: Omit<ClockReading, "ahead_ms"> | undefined;

  /**
   * @param own this node's clock, which may be wrong.
   * @param mono milliseconds that only run.
   */
  constructor(
    private readonly own: Clock,
    private readonly mono: () => number = () => performance.now(),
  ) {
    this.#at_mono = mono();
    this.#at_ms = own.now();
  }

  now(): number {
    return Math.floor(this.#shows(this.mono()));
  }

  /** Undefined before the first sample. */
  get reading(): ClockReading | undefined {
    return this.#last === undefined ? undefined : { ...this.#last, ahead_ms: this.#left(this.mono()) };
  }

  /** Takes what the database said into account; what it took to ask is halved. */
  take({ asked_mono, answered_mono, database_ms }: Sample): void {
    const uncertain_ms = (answered_mono - asked_mono) / 2;
    const mono = this.mono();
    const database_now = database_ms + uncertain_ms + (mono - answered_mono);
    const isFirst = this.#last === undefined;
    this.#last = { offset_ms: this.own.now() - database_now, uncertain_ms };
    const wrong_ms = this.#at_ms + (mono - this.#at_mono) - database_now;
    // Closer than the question can tell is right.
    if (!isFirst && Math.abs(wrong_ms) <= uncertain_ms) return;
    const ahead_ms = this.#shows(mono) - database_now;
    this.#ahead_ms = isFirst || ahead_ms < -JUMP_MS ? 0 : ahead_ms;
    this.#at_ms = database_now;
    this.#at_mono = mono;
  }

  #shows(mono: number): number {
    return this.#at_ms + (mono - this.#at_mono) + this.#left(mono);
  }

  /** What is left of the difference. */
  #left(mono: number): number {
    const left = Math.abs(this.#ahead_ms) - SLEW * (mono - this.#at_mono);
    return left > 0 ? Math.sign(this.#ahead_ms) * left : 0;
  }
}
