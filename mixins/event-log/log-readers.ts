import { Pool, type ClientBase, type ClientConfig, type QueryConfig, type QueryResultRow } from "pg";
import { sessionConfig } from "./connection";
import { isOutage, unavailable } from "./database-fault";
import type { Pulse } from "./pulse";
import { logTypes } from "./row-types";

/** Connections for reading: replays and actors waking up; a read is short. */
const READERS_MAX = 4;

/**
 * Runs a statement and gives its rows.
 * @throws UnavailableError `log.unavailable` when the database does not answer.
 */
export type ReadRows = <R extends QueryResultRow>(
  statement: QueryConfig,
  values: readonly unknown[],
) => Promise<R[]>;

/** The connections that the log is read over. */
export class LogReaders {
  readonly pool: Pool;

  constructor(
    connection: ClientConfig,
    private readonly pulse: Pulse,
    warn: (message: string) => void,
    /** What has to be done before a connection is used. */
    check: (client: ClientBase) => Promise<void> = () => Promise.resolve(),
  ) {
    this.pool = new Pool({
      ...sessionConfig(connection, "forno event log: read"),
      max: READERS_MAX,
      types: logTypes,
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for what this gives back
      onConnect: check,
    });
    this.pool.on("error", (error) => {
      warn(`The event log lost a reading connection: ${error.message}`);
    });
  }

  readonly rows: ReadRows = async <R extends QueryResultRow>(
    statement: QueryConfig,
    values: readonly unknown[],
  ) => {
    try {
      return (await this.pulse.during(this.pool.query<R>({ ...statement, values: [...values] }))).rows;
    } catch (error) {
      throw isOutage(error) ? unavailable(error) : error;
    }
  };

  async close(): Promise<void> {
    await this.pool.end();
  }
}
