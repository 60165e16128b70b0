import type { Position } from "../event-log/event-log";

export interface WatchTimes {
  /** Kafka brings an event within this after it is in the log, or it is late. */
  readonly late_ms: number;
  /** After having been late for the first time Kafka has to be in time for so long; each time it doubles. */
  readonly proof_ms: number;
  readonly proof_max_ms: number;
}

export const WATCH_TIMES: WatchTimes = { late_ms: 2_000, proof_ms: 1_000, proof_max_ms: 60_000 };

/**
 * `late`: something is in the log since `late_ms`, and Kafka has not brought it. `in_time`: Kafka has brought what there was, for as
 * long as it has to. `unknown`: neither; nothing may have happened that Kafka could have brought.
 */
export type Verdict = "late" | "in_time" | "unknown";

/**
 * Judges Kafka by what it brings. At each look the log's head is noted; when Kafka's stream passes it within `late_ms`, Kafka is in
 * time. A quiet log says nothing about Kafka, so in doubt it is not trusted. Who was late, say because one partition has no
 * leader, is taken back after a proof that grows, lest every other event of a day waits for `late_ms`.
 */
export class KafkaWatch {
  #mark: { readonly head: Position; readonly at_ms: number } | undefined;
  /** Kafka's stream as it was taken up: reaching a head at or before it proves nothing. */
  #from: Position = 0;
  #in_time_since_ms: number | undefined;
  #times_late = 0;

  constructor(private readonly times: WatchTimes = WATCH_TIMES) {}

  /** What Kafka has brought up to here counts for nothing. `blamed`: it was late while one relied upon it. */
  restart(position: Position, blamed?: "blamed"): void {
    this.#mark = undefined;
    this.#from = position;
    this.#in_time_since_ms = undefined;
    if (blamed !== undefined) this.#times_late += 1;
  }

  /** `position`: everything up to here has come by Kafka. */
  look(now_ms: number, head: Position, position: Position): Verdict {
    const mark = (this.#mark ??= { head, at_ms: now_ms });
    if (position < mark.head) return now_ms - mark.at_ms < this.times.late_ms ? "unknown" : "late";
    this.#mark = { head, at_ms: now_ms };
    if (position <= this.#from) return "unknown";
    this.#in_time_since_ms ??= now_ms;
    const in_time_ms = now_ms - this.#in_time_since_ms;
    if (in_time_ms < this.#proofMs()) return "unknown";
    // Having been in time for the longest proof, it starts afresh.
    if (in_time_ms >= this.times.proof_max_ms) this.#times_late = 0;
    return "in_time";
  }

  #proofMs(): number {
    const { proof_ms, proof_max_ms } = this.times;
    return this.#times_late === 0 ? 0 : Math.min(proof_max_ms, proof_ms * 2 ** (this.#times_late - 1));
  }
}
