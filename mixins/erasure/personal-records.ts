import type { Pool, PoolClient } from "pg";
import type { Role } from "../contract/caller";
import type { Refusal } from "../contract/refusal";
import type { EventLog, StreamAppend } from "../event-log/event-log";

/** A person as a request names them: by their account, or, who has none, by their phone number (E.164). */
export type Person =
  { readonly user_id: string; readonly phone: null } | { readonly user_id: null; readonly phone: string };

/** What a room reads when it tells what it knows of a person. */
export interface KnowingDeps {
  readonly pool: Pool;
  readonly log: Pick<EventLog, "readStream">;
  /** Streams that hold something personal of them, see `KeyRegister`. */
  readonly streams: readonly string[];
  /** Who is told: the person, or the head of the chain. */
  readonly to: Extract<Role, "customer" | "super_admin">;
}

/** What a room keeps of persons in tables of its own. Declared by the room; the top of the house hands all of them to the customer room. */
export interface PersonalRecords {
  /** What an export calls them, e.g. `profile`. */
  readonly name: string;
  /** All that is known, as JSON carries it; null: nothing. */
  readonly known: (deps: KnowingDeps, person: Person) => Promise<unknown>;
  /**
   * Why the person cannot be forgotten at this moment. Asked while nothing is appended, so the answer holds until the erasure
   * is committed. `streams` are those that would lose their keys.
   */
  readonly refusal?: (
    tx: PoolClient,
    person: Person,
    streams: readonly string[],
  ) => Promise<Refusal | undefined>;
  /**
   * Forgets what is in the tables: part of the transaction in which the keys go and the erasure is appended. Returns what is to
   * be appended with it; nothing: there was nothing to forget. What is filled from the log follows the erasure's event instead.
   */
  readonly forget?: (tx: PoolClient, person: Person, at: Date) => Promise<readonly StreamAppend[]>;
}
