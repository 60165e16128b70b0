import pg, { type CustomTypesConfig } from "pg";

const INT8 = 20;
const TIMESTAMPTZ = 1184;

/** How the log's rows are read: positions as numbers, times as PostgreSQL's own text (a Date would lose microseconds). */
export const logTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text") => {
    if (oid === INT8) return Number;
    if (oid === TIMESTAMPTZ) return String;
    return pg.types.getTypeParser(oid, format) as unknown;
  }) as CustomTypesConfig["getTypeParser"],
};

/** RFC 3339 of a time as PostgreSQL writes it in a session whose time zone is UTC. */
export function rfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11).replace("+00", "Z")}`;
}
