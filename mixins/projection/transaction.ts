import type { Pool, PoolClient } from "pg";
import { borrowConnection } from "../postgres/borrowed-connection";

/** Runs `work` on one connection of the pool; when it fails, the connection is closed, and with it whatever it held. */
export async function onConnection<T>(pool: Pool, work: (connection: PoolClient) => Promise<T>): Promise<T> {
  const { connection, giveBack } = await borrowConnection(pool);
  let failed = true;
  try {
    const result = await work(connection);
    failed = false;
    return result;
  } finally {
    giveBack(failed);
  }
}

/**
 * Runs `work` in one transaction. The commit does not wait for the disk: what is derived from the log is lost together with
 * its checkpoint, if the machine dies that very moment, and is derived again.
 */
export function inDerivedTransaction<T>(
  pool: Pool,
  work: (tx: PoolClient) => Promise<T>,
  search_path = "default",
): Promise<T> {
  return onConnection(pool, async (tx) => {
    await tx.query(`begin; set local synchronous_commit = off; set local search_path to ${search_path}`);
    const result = await work(tx);
    await tx.query("commit");
    return result;
  });
}
