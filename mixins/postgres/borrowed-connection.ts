import type { Pool, PoolClient } from "pg";

/** A connection out of the pool for as long as somebody works on it. */
export interface BorrowedConnection {
  readonly connection: PoolClient;
  /** Back into the pool; with an error or `true` it is closed instead, and with it whatever it held. */
  readonly giveBack: (broken?: Error | boolean) => void;
}

/**
 * Takes a connection out of the pool. One that breaks says so by an event, which ends the process when nobody listens, and
 * the pool listens to its idle connections only; here the next statement fails by itself, and that is enough.
 */
export async function borrowConnection(pool: Pool): Promise<BorrowedConnection> {
  const connection = await pool.connect();
  const broke = (): void => undefined;
  connection.on("error", broke);
  return {
    connection,
    giveBack: (broken) => {
      connection.off("error", broke);
      connection.release(broken);
    },
  };
}
