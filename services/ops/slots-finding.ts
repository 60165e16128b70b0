import type { Pool } from "pg";

/** A slot of a replica that keeps up holds back some megabytes. */
const RETAINED_MAX_BYTES = 1_000_000_000;

const SLOTS = `
  select count(*) filter (where not active)::integer as inactive,
    count(*) filter (where wal_status = 'lost')::integer as lost,
    coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint as retained_bytes
  from pg_replication_slots where database = current_database() and not temporary`;

interface Slots {
  readonly inactive: number;
  readonly lost: number;
  readonly retained_bytes: number;
}

/** What is wrong with the replication slots of this database: one that nobody reads makes the primary keep WAL until its disk is full. */
export async function slotsFinding(pool: Pool): Promise<{ detail?: string; retained_wal_bytes: number }> {
  const { rows } = await pool.query<Slots>(SLOTS);
  const { inactive, lost, retained_bytes } = rows[0] ?? { inactive: 0, lost: 0, retained_bytes: 0 };
  const remedy = "Bring the replica back, or run npm run replica:setup -- --remove.";
  const held = `${(retained_bytes / 1e9).toFixed(1)} GB of WAL`;
  const figures = { retained_wal_bytes: retained_bytes };
  if (lost > 0)
    return {
      ...figures,
      detail: "A replication slot was left behind: run npm run replica:setup to copy anew.",
    };
  if (inactive > 0)
    return { ...figures, detail: `A replication slot that nobody reads holds back ${held}. ${remedy}` };
  if (retained_bytes > RETAINED_MAX_BYTES)
    return { ...figures, detail: `A replication slot that is read slowly holds back ${held}. ${remedy}` };
  return figures;
}
