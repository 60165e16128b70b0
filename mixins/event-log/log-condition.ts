import type { Pool } from "pg";
import type { Position } from "./event-log";

/** Whether the log can be written to and is whole, as far as that can be told without reading it. */
export interface LogCondition {
  readonly head: Position;
  /** What is wrong and what to do, in one line; undefined: nothing. */
  readonly complaint: string | undefined;
}

interface ConditionRow {
  readonly head: string;
  readonly missing_first: string | null;
  readonly missing_last: string | null;
  readonly newest_there: boolean;
  readonly answers_have_place: boolean;
}

/** Why the log's last attempt to write failed, while none has succeeded since. */
export interface LogTrouble {
  /** What is wrong and what to do, in one line. */
  readonly complaint: string;
  /** By `performance.now()`. */
  readonly since_ms: number;
}

/** Asks the database about its log. */
export async function logCondition(pool: Pool): Promise<LogCondition> {
  const { rows } = await pool.query<ConditionRow>("select * from es.condition()");
  const [row] = rows;
  if (row === undefined)
    throw new Error("es.lane has no row: the log's schema is damaged; restore a backup.");
  return { head: Number(row.head), complaint: complaintOf(row) };
}

function complaintOf({ head, missing_first, missing_last, newest_there, answers_have_place }: ConditionRow) {
  if (missing_first !== null && Number(missing_first) > Number(head))
    return `The partition for position ${missing_first} is not there; the next append makes it anew.`;
  if (missing_first !== null)
    return `The partition with positions ${missing_first} to ${String(missing_last)} of the event log is not attached: attach it to es.event, or restore it from a backup.`;
  if (!newest_there)
    return `Position ${head}, the newest of the event log, is missing: restore the database from a backup.`;
  return answers_have_place
    ? undefined
    : "es.command has no partition for today's answers; the next append makes it anew.";
}
