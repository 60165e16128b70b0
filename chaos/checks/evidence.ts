import type { Operation } from "../history";
import type { LogEvent, MenuDocument } from "../model/events";

/** A promise that was broken, and how one can tell. */
export interface Violation {
  /** Name of the promise, e.g. `order.lost`. */
  readonly promise: string;
  readonly detail: string;
}

/** Where one hears of the log: the kitchen's tablets, the desk, the shop. */
export type DoorName = "kitchen" | "erp" | "shop";

/** Who a client is. */
export interface Person {
  readonly role: "super_admin" | "manager" | "cook" | "customer" | "guest";
  /** Null: a guest. */
  readonly user_id: string | null;
  /** Where somebody works; null: everywhere, or nowhere. */
  readonly branch_ids: readonly string[] | null;
}

/** A message as a socket client heard it. */
export interface Heard {
  readonly type: string;
  readonly position: number;
  /** Of its data, see `digestOf`. */
  readonly digest: string;
}

/** What one socket client heard over all its connections, in the order in which it came. */
export interface SocketRecord {
  readonly name: string;
  readonly door: DoorName;
  readonly person: Person;
  /** Orders that it tracks by their tokens. */
  readonly tracked: readonly string[];
  /** Position from which on it wanted to hear everything. */
  readonly after: number;
  readonly heard: readonly Heard[];
  /** Stretches of the log that it was told to read by other ways: positions in (from, to]. */
  readonly resyncs: readonly { readonly from: number; readonly to: number }[];
}

/** A row as JSON; times as RFC 3339 UTC in milliseconds. */
export type Row = Readonly<Record<string, unknown>>;

/** What Redis holds; undefined where nothing is mirrored. */
export interface Mirror {
  /** Strings by key. */
  readonly texts: ReadonlyMap<string, string>;
  /** When a key ends, milliseconds since the epoch. */
  readonly ends_ms: ReadonlyMap<string, number>;
  /** `slot:config`, by branch. */
  readonly config: ReadonlyMap<string, string>;
  readonly marker: Readonly<Record<string, string>>;
  /** The answer of `GET /api/v1/menu` at the same moment. */
  readonly menu: string;
}

/** A checkpoint that was moved, in the order in which that was committed. */
export interface CheckpointMove {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Of the transaction that did. */
  readonly xid: string;
}

/** Another host moved a checkpoint while one at work was about to: that one has to give way. */
export interface Contest {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Of the transactions that waited for the move. */
  readonly waiting: readonly string[];
}

/** When something was wrong with the fleet, milliseconds since the epoch. */
export interface Disturbance {
  readonly began_ms: number;
  readonly ended_ms: number;
  /** What was seen meanwhile may be gone: the log has lost what nobody was promised. */
  readonly rewound?: boolean;
}

/** Everything that is known after a run, when all is quiet. */
export interface Evidence {
  readonly operations: readonly Operation[];
  /** When the load began, milliseconds since the epoch: what operations' times count from. */
  readonly load_began_ms: number;
  /** Head of the log when the load began: what stands up to there, no client has asked for. */
  readonly began_at: number;
  /** The whole log. */
  readonly events: readonly LogEvent[];
  /** When it was read, milliseconds since the epoch. */
  readonly read_at_ms: number;
  /** Where the log says that it stands. */
  readonly head: number;
  /** Where the log says that each stream stands. */
  readonly stream_versions: ReadonlyMap<string, number>;
  /** Read models, by table. */
  readonly tables: ReadonlyMap<string, readonly Row[]>;
  /** Every version of the menu. */
  readonly menus: readonly MenuDocument[];
  readonly sockets: readonly SocketRecord[];
  readonly mirror: Mirror | undefined;
  readonly moves: readonly CheckpointMove[];
  readonly contests: readonly Contest[];
  readonly disturbances: readonly Disturbance[];
}

/** Judges one promise; an empty answer means that it was kept. */
export type Check = (evidence: Evidence) => Violation[];
