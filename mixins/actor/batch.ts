import type { CommandIdentity } from "../contract/caller";
import type { CommandOutcome } from "../contract/implement";
import { isRefusal, type Refusal } from "../contract/refusal";
import type {
  AppendUnit,
  CommandRecord,
  EventMeta,
  NewEvent,
  StreamAppend,
  StreamGuard,
} from "../event-log/event-log";
import type { Decider, Decision } from "./decider";

/** Events of its own stream after which a batch takes no further command; well below what the log takes as one unit. */
const UNIT_EVENTS_MAX = 4_096;

/** A command in a mailbox, and the caller that waits for it. */
export interface Told<C> {
  readonly command: C;
  readonly identity: CommandIdentity;
  readonly meta: EventMeta;
  resolve(outcome: CommandOutcome | Refusal): void;
  reject(error: unknown): void;
}

/** What one command came to, provided that the batch commits. */
export type Verdict =
  | { readonly kind: "accepted"; readonly answer: unknown; readonly reading: boolean }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** The same command id stands earlier in the batch and was accepted there. */
  | { readonly kind: "repeated"; readonly first: CommandRecord }
  /** `decide` threw: a defect that concerns this command alone. */
  | { readonly kind: "broken"; readonly error: unknown };

/** Where a batch belongs: the actor's stream at the version that was decided on, and what else was relied upon. */
export interface Place {
  readonly stream_id: string;
  readonly stream_type: string;
  readonly version: number;
  readonly guards: readonly StreamGuard[];
}

/**
 * A batch decided in memory: what is to be appended, and who is to be told what once that has committed. Each command is
 * decided on the state that the ones before it lead to; the state that it is handed, it changes.
 */
export class BatchDraft<S, C, E extends NewEvent, G> {
  readonly events: NewEvent[] = [];
  readonly founds: StreamAppend[] = [];
  readonly decided: { readonly told: Told<C>; readonly verdict: Verdict }[] = [];
  /** Which command founds which stream. */
  readonly founders = new Map<string, Told<C>>();
  /** Set when `evolve` threw: the state is spoilt, and with it everything here. */
  spoilt: { readonly by: Told<C>; readonly error: unknown } | undefined;
  readonly #records = new Map<string, CommandRecord>();

  constructor(
    private readonly decider: Decider<S, C, E, G>,
    private readonly given: G,
    public state: S,
  ) {}

  /** Whether there is anything to append. */
  get writes(): boolean {
    return this.events.length > 0 || this.founds.length > 0;
  }

  /** Whether anybody will be told that something is done. */
  get promises(): boolean {
    return this.decided.some(
      ({ verdict }) => verdict.kind === "repeated" || (verdict.kind === "accepted" && !verdict.reading),
    );
  }

  /** The answers to keep. */
  get records(): readonly CommandRecord[] {
    return [...this.#records.values()];
  }

  /** Decides commands in order; gives back those that need a unit of their own, after this one has committed. */
  decide(batch: readonly Told<C>[]): readonly Told<C>[] {
    for (const [at, told] of batch.entries())
      if (this.spoilt !== undefined || this.events.length >= UNIT_EVENTS_MAX || !this.#take(told))
        return batch.slice(at);
    return [];
  }

  /** All of it as one unit of the log. A stream that the decisions rest upon without writing to it is guarded. */
  unit({ stream_id, stream_type, version, guards }: Place): AppendUnit {
    const own = this.events.length > 0;
    const stream = { stream_id, stream_type, expected_version: version, events: this.events };
    return {
      streams: own ? [stream, ...this.founds] : this.founds,
      guards: own ? guards : [{ stream_id, expected_version: version }, ...guards],
      commands: this.records,
      meta: this.decided[0]?.told.meta ?? {},
    };
  }

  #take(told: Told<C>): boolean {
    const first = this.#records.get(told.identity.id);
    if (first !== undefined) {
      this.decided.push({ told, verdict: { kind: "repeated", first } });
      return true;
    }
    let decision: Decision<E> | Refusal;
    try {
      decision = this.decider.decide(told.command, this.state, this.given);
    } catch (error) {
      this.decided.push({ told, verdict: { kind: "broken", error } });
      return true;
    }
    if (!isRefusal(decision)) return this.#accept(told, decision);
    this.decided.push({ told, verdict: { kind: "refused", refusal: decision } });
    return true;
  }

  /** False when the command founds a stream that an earlier one founds already: a unit holds a stream once. */
  #accept(told: Told<C>, { events, founds = [], answer, reading }: Decision<E>): boolean {
    if (founds.some(({ stream_id }) => this.founders.has(stream_id))) return false;
    try {
      for (const event of events) this.state = this.decider.evolve(this.state, event);
    } catch (error) {
      this.spoilt = { by: told, error };
      return true;
    }
    for (const event of events) this.events.push(causedBy(told.meta, event));
    for (const stream of founds) {
      this.founders.set(stream.stream_id, told);
      this.founds.push({ ...stream, events: stream.events.map((event) => causedBy(told.meta, event)) });
    }
    const wrote = events.length > 0 || founds.length > 0;
    const { id, fingerprint, fresh } = told.identity;
    if (wrote || fresh !== true) this.#records.set(id, { id, fingerprint, answer });
    this.decided.push({ told, verdict: { kind: "accepted", answer, reading: reading === true } });
    return true;
  }
}

/** A unit holds the events of several callers, so each event says itself whose it is. */
const causedBy = (meta: EventMeta, event: NewEvent): NewEvent => ({ meta, ...event });
