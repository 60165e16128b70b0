import type { CommandIdentity } from "../contract/caller";
import type { CommandOutcome } from "../contract/implement";
import type { Refusal } from "../contract/refusal";
import type { EventMeta, NewEvent, StreamGuard } from "../event-log/event-log";
import type { Decider } from "./decider";

/** Bounds of one kind of actor; every queue has one. */
export interface ActorLimits {
  /** Commands waiting in one mailbox; beyond it: UnavailableError `actor.mailbox_full`. */
  readonly mailbox_max: number;
  /** Commands decided into one append unit. */
  readonly batch_max: number;
  /** Live actors of this kind in this process; the longest unused ones are passivated first. */
  readonly live_max: number;
  /** Passivation after so long without a command. */
  readonly idle_ms: number;
  /** Events after which a snapshot is worth writing (and at least a quarter of the stream, so that the cost stays linear). */
  readonly snapshot_every: number;
  /** How often a batch is decided again after a version conflict. */
  readonly conflict_retries: number;
}

/** Everything that makes one kind of actor. */
export interface ActorKind<S, C, E extends NewEvent, G> {
  /** Kind of aggregate, also its `stream_type`, e.g. `kitchen-day`. */
  readonly kind: string;
  readonly decider: Decider<S, C, E, G>;
  /** Data that decisions need from outside the stream, fetched once a batch. `attempt` > 0 after a conflict: read fresh. */
  readonly given: (stream_id: string, attempt: number) => Promise<Given<G>>;
  /** How a state becomes JSON and back; without it there are no snapshots. */
  readonly snapshot?: {
    readonly schema_v: number;
    readonly save: (state: S) => unknown;
    readonly load: (saved: unknown) => S;
  };
  readonly limits?: Partial<ActorLimits>;
}

export interface Given<G> {
  readonly given: G;
  /** Streams whose version the given data was read at. */
  readonly guards?: readonly StreamGuard[];
}

/** Hosts all live actors of one kind in this process. */
export interface ActorHost<S, C> {
  /** Puts a command into the actor's mailbox; resolves when its events are durable, or with the refusal. */
  tell(
    stream_id: string,
    command: C,
    identity: CommandIdentity,
    meta: EventMeta,
  ): Promise<CommandOutcome | Refusal>;
  /** Activates the actor and looks at its state between two batches; `look` must not keep or change it. */
  read<T>(stream_id: string, look: (state: S, version: number) => T): Promise<T>;
  /** What lives here now, for operators. */
  list(): readonly ActorInfo[];
  /** Passivates one actor once its mailbox is empty; false when it is not here. */
  evict(stream_id: string): Promise<boolean>;
  /** Finishes the batches under way and refuses further commands. */
  stop(): Promise<void>;
}

export interface ActorInfo {
  readonly stream_id: string;
  readonly version: number;
  readonly waiting: number;
  readonly idle_ms: number;
}
