import { LANE } from "./append-statement";
import { logTypes } from "./row-types";

/** A position whose partition has become a file. What is archived is old, and every consumer has passed it. */
const isArchived = (position: string): string =>
  `exists (select from es.segment s where s.archived_at is not null and ${position} between s.first_pos and s.last_pos)`;

/**
 * SQL that says whether the log holds an event: arguments are SQL for its position, id and time. Where the id is null, whether it
 * reaches that far.
 */
export const holdsSql = (position: string, event_id: string, recorded_at: string): string => `(
    ${position} = 0
    or ${event_id} is null and ${position} <= (select l.head from es.lane l where l.lane = ${String(LANE)})
    or exists (
      select from es.event e where e.lane = ${String(LANE)} and e.pos = ${position}
        and e.event_id = ${event_id} and e.recorded_at = ${recorded_at})
    or ${isArchived(position)})`;

/** $1 position, $2 event id, $3 time. */
export const HOLDS = {
  name: "es_holds",
  text: `select ${holdsSql("$1::bigint", "$2::uuid", "$3::timestamptz")} as holds`,
};

/** $1 position. */
export const MARK_AT = {
  name: "es_mark_at",
  text: `select e.event_id, e.recorded_at, l.head from es.lane l
         left join es.event e on e.lane = l.lane and e.pos = $1 where l.lane = ${String(LANE)}`,
  types: logTypes,
};

/** $1, $2, $3: positions, ids and times of marks. The newest of them that the log holds. */
export const NEWEST_HELD = {
  text: `select max(m.pos) as position from unnest($1::bigint[], $2::uuid[], $3::timestamptz[]) as m (pos, id, at)
         where ${holdsSql("m.pos", "m.id", "m.at")}`,
  types: logTypes,
};

/**
 * $1 position, $2 event id, $3 time of the newest event that was seen. A standby that has not been promoted has no timeline of its
 * own, and may be behind: it says nothing. The timeline in the control file would be that of the last checkpoint.
 */
export const LINEAGE = {
  text: `select l.head, c.system_identifier || '-' || d.oid || '-' || n.oid as database,
      case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end as timeline,
      pg_postmaster_start_time()::text as started_at,
      (select b.break_id::text from es.lineage_break b order by b.found_at desc, b.break_id limit 1) as last_break,
      ${holdsSql("$1::bigint", "$2::uuid", "$3::timestamptz")} as holds
    from es.lane l, pg_control_system() c, pg_database d, pg_namespace n
    where l.lane = ${String(LANE)} and d.datname = current_database() and n.nspname = 'es'`,
  types: logTypes,
};

/** $1 lost after, $2 lost up to, $3 head, $4 and $5 timelines before and after. Nothing new where a break is known that covers it. */
export const NOTE_BREAK = `
  insert into es.lineage_break (lost_after, lost_to, head, timeline_before, timeline_after)
  select $1::bigint, $2::bigint, $3::bigint, $4::text, $5::text
  where not exists (
    select from es.lineage_break b
    where b.lost_after <= $1 and b.lost_to >= $2 and b.timeline_before = $4 and b.timeline_after = $5
      and b.found_at > clock_timestamp() - interval '1 minute')`;

/** The newest first; more than anybody has ever seen. */
export const BREAKS = {
  text: `select b.break_id::text,
           to_char(b.found_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as found_at,
           b.lost_after as after, b.lost_to as to, b.head, b.timeline_before, b.timeline_after
         from es.lineage_break b order by b.found_at desc, b.break_id limit 100`,
  types: logTypes,
};
