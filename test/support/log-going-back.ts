import type { Pool } from "pg";
import { inTransaction } from "../../mixins/postgres/transaction";

/**
 * Puts the log's tables back to what they were at a position, as a restore of them alone does: checkpoints, read models, and whoever
 * is connected stay as they are.
 */
export async function putLogBack(pool: Pool, position: number): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await tx.query("select pg_advisory_xact_lock(7461, 0)");
    await tx.query("delete from es.event where pos > $1", [position]);
    await tx.query("delete from es.command where pos > $1", [position]);
    await tx.query("delete from es.stream where first_pos > $1", [position]);
    await tx.query(
      `update es.stream s set version = e.version, last_pos = e.pos from (
         select stream_id, max(version) as version, max(pos) as pos from es.event group by stream_id) e
       where e.stream_id = s.stream_id and s.last_pos > $1`,
      [position],
    );
    await tx.query(
      "delete from es.snapshot n where not exists (select from es.stream s where s.stream_id = n.stream_id and s.version >= n.version)",
    );
    await tx.query("truncate es.appender");
    await tx.query("update es.lane set head = $1", [position]);
  });
}
