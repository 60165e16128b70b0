import type { Pool, PoolClient, QueryConfig, QueryResultRow } from "pg";
import { LANE } from "./append-statement";
import { digestOf, phoneSecret } from "./data-keys";
import type { DataSubject } from "./personal-data";

/** Streams whose names are read at once. */
const PAGE = 1_000;

/** Whose data the log holds, and the end of it: the register of its keys. */
export class KeyRegister {
  #secret: ReturnType<typeof phoneSecret> | undefined;

  constructor(private readonly pool: Pool) {}

  /** Streams that hold data of this person or of whoever has this phone number (E.164), as far as it is not erased. */
  async streamsOf({ person_id, phone }: DataSubject, from: Pool | PoolClient = this.pool): Promise<string[]> {
    const phone_digest = phone === null ? null : digestOf(await this.#phoneSecret(), phone);
    const { rows } = await from.query<{ stream_id: string }>(STREAMS_OF, [person_id, phone_digest]);
    return rows.map(({ stream_id }) => stream_id);
  }

  /**
   * The same for whoever is going to erase them: nothing is appended until the transaction ends, so none is added behind what
   * was read. All appends of the chain wait; nothing that takes long may follow.
   */
  async claimedStreamsOf(tx: PoolClient, subject: DataSubject): Promise<string[]> {
    // Read before: nobody is to wait for another connection.
    if (subject.phone !== null) await this.#phoneSecret();
    await tx.query(HOLD_APPENDS);
    return this.streamsOf(subject, tx);
  }

  /**
   * Deletes the keys of these streams: from the commit on nobody reads their personal data any more, wherever it was copied
   * to. Those that were erased before keep their erasure. Answers how many were there.
   */
  async erase(tx: PoolClient, stream_ids: readonly string[], erasure_id: string): Promise<number> {
    const { rowCount } = await tx.query(ERASE, [stream_ids, erasure_id]);
    return rowCount ?? 0;
  }

  /** The streams that an erasure has erased, in pages, in order. */
  async *erasedBy(erasure_id: string): AsyncGenerator<readonly string[]> {
    for (let after = ""; ;) {
      const { rows } = await this.pool.query<{ stream_id: string }>(ERASED_BY, [erasure_id, after, PAGE]);
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows.map(({ stream_id }) => stream_id);
      after = last.stream_id;
    }
  }

  #phoneSecret(): ReturnType<typeof phoneSecret> {
    this.#secret ??= phoneSecret(
      async <R extends QueryResultRow>(statement: QueryConfig, values: readonly unknown[]) =>
        (await this.pool.query<R>({ ...statement, values: [...values] })).rows,
    ).catch((error: unknown) => {
      this.#secret = undefined;
      throw error;
    });
    return this.#secret;
  }
}

/** The lock that `es.append` takes. */
const HOLD_APPENDS = `select pg_advisory_xact_lock(7461, ${String(LANE)})`;

/** $1 account, $2 digest of a phone. Two look-ups, because an "or" over two partial indexes reads the whole table. */
const STREAMS_OF = `
  select stream_id from es.data_key where person_id = $1
  union
  select stream_id from es.data_key where phone_digest = $2
  order by stream_id`;

/** $1 streams, $2 erasure. */
const ERASE = `
  update es.data_key set key = null, person_id = null, phone_digest = null, erasure_id = $2
  where stream_id = any ($1) and key is not null`;

/** $1 erasure, $2 stream, $3 limit. */
const ERASED_BY = `
  select stream_id from es.data_key where erasure_id = $1 and stream_id > $2 order by stream_id limit $3`;
