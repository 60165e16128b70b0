import type { Pool } from "pg";

/**
 * Tells this event log from any other whose events may be in the same topic: one that was set up anew begins at position 1
 * again. A name made of what PostgreSQL gives to each cluster, database and schema; a copy that was dumped and restored has
 * another one. It does not tell a log from its own past, restored to an earlier point in time.
 */
export async function logNameOf(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    `select s.system_identifier || '-' || d.oid || '-' || n.oid as name
     from pg_control_system() s, pg_database d, pg_namespace n
     where d.datname = current_database() and n.nspname = 'es'`,
  );
  if (rows[0] === undefined) throw new Error("There is no event log in this database.");
  return rows[0].name;
}
