import type { Pool, PoolClient } from "pg";
import { borrowConnection } from "./borrowed-connection";

/** Runs `work` in one transaction: committed when it returns, rolled back when it throws. Not for the event log's appends. */
export async function inTransaction<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  const { connection: tx, giveBack } = await borrowConnection(pool);
  let broken: Error | undefined;
  try {
    await tx.query("begin");
    const result = await work(tx);
    await tx.query("commit");
    return result;
  } catch (error) {
    await tx.query("rollback").catch((lost: unknown) => {
      broken = lost instanceof Error ? lost : new Error(String(lost));
    });
    throw error;
  } finally {
    // A connection that cannot even roll back is thrown away, not given to the next.
    giveBack(broken);
  }
}
