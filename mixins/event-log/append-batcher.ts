import { UnavailableError } from "../contract/refusal";
import type { AppendOutcome } from "./event-log";
import type { PreparedUnit } from "./prepared-unit";

/** Bounds of the group commit. */
export interface BatchLimits {
  /** Units waiting; beyond it: UnavailableError `log.busy`. About two seconds of work. */
  readonly waiting_max: number;
  /** Units in one batch: beyond some hundred the cost of the commit is spread thin already, and latency only grows. */
  readonly batch_units_max: number;
  readonly batch_events_max: number;
  /** Characters of JSON in one batch. */
  readonly batch_size_max: number;
}

export const BATCH_LIMITS: BatchLimits = {
  waiting_max: 20_000,
  batch_units_max: 512,
  batch_events_max: 4_096,
  batch_size_max: 8_000_000,
};

interface Waiting {
  readonly prepared: PreparedUnit;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: Error) => void;
}

/** Writes one batch; answers each unit, by an error where that unit could not be judged. Throws when none could. */
export type WriteBatch = (units: readonly PreparedUnit[]) => Promise<readonly (AppendOutcome | Error)[]>;

/**
 * Group commit: takes whatever waits as one batch while the batch before is on its way, so batches grow by themselves
 * with load and a lone caller waits for nobody.
 *
 * All units of a batch are judged against the state before it. Therefore a unit that touches a stream which an earlier
 * unit of the batch writes, or that repeats one of its commands, is left for the next batch, and with it everything
 * behind it on the same streams: units of one stream commit in the order of their calls.
 */
export class AppendBatcher {
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;

  constructor(
    private readonly write: WriteBatch,
    private readonly limits: BatchLimits = BATCH_LIMITS,
  ) {}

  /** @throws UnavailableError `log.busy` when too many units wait already. */
  append(prepared: PreparedUnit): Promise<AppendOutcome> {
    if (this.#waiting.length >= this.limits.waiting_max)
      return Promise.reject(
        new UnavailableError("log.busy", "Too many writes are waiting; try again in a moment."),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ prepared, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // One turn of the event loop: callers that come in together go together.
    await nextTurn();
    while (this.#waiting.length > 0) {
      const answer = await this.#writeNext();
      // Whoever waits goes out first; the answers are given while the server works on that.
      setImmediate(answer);
      if (this.#waiting.length > 0) continue;
      // Callers that come back at once after an answer are in the next batch.
      await nextTurn();
    }
    this.#working = undefined;
  }

  /** Writes one batch; gives back how to answer its callers. */
  async #writeNext(): Promise<() => void> {
    const batch = this.#takeBatch();
    try {
      const outcomes = await this.write(batch.map(({ prepared }) => prepared));
      return () => {
        for (const [at, { resolve, reject }] of batch.entries()) {
          const outcome = outcomes[at] ?? new Error("The log gave no outcome for a unit.");
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        }
      };
    } catch (error) {
      // Whoever waits behind would fare no better: let them know now, and not each after a timeout of their own.
      const failed = error instanceof UnavailableError ? batch.concat(this.#waiting.splice(0)) : batch;
      return () => {
        for (const { reject } of failed) reject(error as Error);
      };
    }
  }

  #takeBatch(): Waiting[] {
    const { batch_units_max, batch_events_max, batch_size_max } = this.limits;
    const batch: Waiting[] = [];
    const deferred: Waiting[] = [];
    const touched = new Touched();
    let events = 0;
    let size = 0;
    let next = 0;
    // A long queue for one busy stream is looked through only so far: the rest would be deferred as well.
    const look_max = Math.min(this.#waiting.length, 4 * batch_units_max);
    for (; next < look_max && batch.length < batch_units_max; next += 1) {
      const waiting = this.#waiting[next];
      if (waiting === undefined) break;
      const { prepared } = waiting;
      const full =
        events + prepared.events.length > batch_events_max || size + prepared.size > batch_size_max;
      if (full && batch.length > 0) break;
      const defer = touched.collides(prepared);
      touched.add(prepared);
      (defer ? deferred : batch).push(waiting);
      if (defer) continue;
      events += prepared.events.length;
      size += prepared.size;
    }
    this.#waiting = deferred.concat(this.#waiting.slice(next));
    return batch;
  }
}

/** What the units looked at so far write and answer. */
class Touched {
  readonly #written = new Set<string>();
  readonly #commands = new Set<string>();

  collides({ unit }: PreparedUnit): boolean {
    return (
      unit.streams.some(({ stream_id }) => this.#written.has(stream_id)) ||
      (unit.guards?.some(({ stream_id }) => this.#written.has(stream_id)) ?? false) ||
      unit.commands.some(({ id }) => this.#commands.has(id.toLowerCase()))
    );
  }

  add({ unit }: PreparedUnit): void {
    for (const { stream_id } of unit.streams) this.#written.add(stream_id);
    for (const { id } of unit.commands) this.#commands.add(id.toLowerCase());
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
