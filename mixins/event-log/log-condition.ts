import type { Pool } from "pg";
import type { Position } from "./event-log";

/** What is wrong with the log and what to do, in one line. */
export interface LogComplaint {
  readonly detail: string;
  /** Nothing can be written until somebody has done it. Otherwise the log goes on, or mends itself at the next append. */
  readonly stops_writing: boolean;
}

/** Whether the log can be written to and is whole, as far as that can be told without reading it. */
export interface LogCondition {
  readonly head: Position;
  readonly complaint: LogComplaint | undefined;
}

interface ConditionRow {
  readonly head: string;
  readonly missing_first: string | null;
  readonly missing_last: string | null;
  readonly missing_kept: boolean;
  readonly newest_there: boolean;
  readonly answers_have_place: boolean;
}

/** Why the log's last attempt to write was turned down, while none has succeeded since. */
export interface LogTrouble {
  readonly detail: string;
  /** The first and the last failed attempt, by `performance.now()`. */
  readonly since_ms: number;
  readonly last_ms: number;
}

/** Asks the database about its log. */
export async function logCondition(pool: Pool): Promise<LogCondition> {
  const { rows } = await pool.query<ConditionRow>("select * from es.condition()");
  const [row] = rows;
  if (row === undefined)
    throw new Error("es.lane has no row: the log's schema is damaged; restore a backup.");
  return { head: Number(row.head), complaint: complaintOf(row) };
}

function complaintOf(row: ConditionRow): LogComplaint | undefined {
  const { head, missing_first, missing_last, missing_kept, newest_there, answers_have_place } = row;
  const stops = (detail: string): LogComplaint => ({ detail, stops_writing: true });
  const goesOn = (detail: string): LogComplaint => ({ detail, stops_writing: false });
  if (missing_first !== null && Number(missing_first) > Number(head))
    return goesOn(`The partition for position ${missing_first} is not there; the next append makes it anew.`);
  if (missing_first !== null) {
    const which = `positions ${missing_first} to ${String(missing_last)} of the event log`;
    const holds_head = missing_last === head;
    if (holds_head && missing_kept)
      return goesOn(`The partition with ${which} is not attached; the next append attaches it.`);
    const detail = `The partition with ${which} is not attached: attach it to es.event, or restore it from a backup.`;
    return holds_head ? stops(detail) : goesOn(detail);
  }
  if (!newest_there)
    return goesOn(
      `Position ${head}, the newest of the event log, is missing: restore the database from a backup.`,
    );
  return answers_have_place
    ? undefined
    : goesOn("es.command has no partition for today's answers; the next append makes it anew.");
}
