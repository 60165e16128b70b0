import type { Caller } from "../../mixins/contract/caller";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Audience } from "../../services/gateway/socket/doors";
import type { Operation } from "../history";

/** A promise that was broken, and how one can tell. */
export interface Violation {
  /** Name of the promise, e.g. `order.lost`. */
  readonly promise: string;
  readonly detail: string;
}

/** A message as a socket client heard it. */
export interface Heard {
  readonly type: string;
  readonly position: number;
  /** Of its data, see {@link digestOf}. */
  readonly digest: string;
}

/** What one socket client heard over all its connections, in the order in which it came. */
export interface SocketRecord {
  readonly name: string;
  readonly audience: Audience;
  readonly caller: Caller;
  /** Orders that it tracks by their tokens. */
  readonly tracked: readonly string[];
  /** Position from which on it wanted to hear everything. */
  readonly after: number;
  readonly heard: readonly Heard[];
  /** Stretches of the log that it was told to read by other ways: positions in (from, to]. */
  readonly resyncs: readonly { readonly from: number; readonly to: number }[];
}

/** Rows of a read model that stand in one place only. */
export interface TableDifference {
  readonly table: string;
  readonly rows: number;
  readonly only_live: readonly object[];
  readonly only_rebuilt: readonly object[];
}

/** An order as the read model has it. */
export interface OrderRow {
  readonly order_id: string;
  readonly status: string;
}

/** A slot as the read model has it. */
export interface SlotRow {
  readonly slot_id: string;
  readonly load_minor: number;
}

/** A key of a mirror outside of the database, and what stands there and in the read model. */
export interface MirrorDifference {
  readonly key: string;
  readonly mirror: unknown;
  readonly read_model: unknown;
}

/** Everything that is known after a run, when all is quiet. */
export interface Evidence {
  readonly operations: readonly Operation[];
  /** Head of the log when the load began: what stands up to there, no client has asked for. */
  readonly began_at: number;
  /** The whole log. */
  readonly events: readonly RecordedEvent[];
  /** Where the log says that it stands. */
  readonly head: number;
  /** Where the log says that each stream stands. */
  readonly stream_versions: ReadonlyMap<string, number>;
  readonly orders: readonly OrderRow[];
  readonly slots: readonly SlotRow[];
  readonly tables: readonly TableDifference[];
  readonly sockets: readonly SocketRecord[];
  readonly mirrors: readonly MirrorDifference[];
}

/** Judges one promise; an empty answer means that it was kept. */
export type Check = (evidence: Evidence) => Violation[];
