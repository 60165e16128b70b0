import pg from "pg";

/** How the log's rows are read: positions as numbers, times as PostgreSQL's own text (a Date would lose microseconds). */
export const logTypes = new pg.TypeOverrides();
logTypes.setTypeParser(pg.types.builtins.INT8, Number);
logTypes.setTypeParser(pg.types.builtins.TIMESTAMPTZ, String);

/** RFC 3339 of a time as PostgreSQL writes it in a session whose time zone is UTC. */
export function rfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11).replace("+00", "Z")}`;
}
