import pg, { type CustomTypesConfig } from "pg";

const INT8 = 20;
const INT8_ARRAY = 1016;
const TIMESTAMPTZ = 1184;

/** How the log's rows are read: positions as numbers, times as PostgreSQL's own text (a Date would lose microseconds). */
export const logTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text") => {
    if (oid === INT8) return Number;
    if (oid === INT8_ARRAY) return numbers;
    if (oid === TIMESTAMPTZ) return String;
    return pg.types.getTypeParser(oid, format) as unknown;
  }) as CustomTypesConfig["getTypeParser"],
};

/** `{1,2}`, of a column whose elements are never null. */
function numbers(text: string): number[] {
  return text === "{}" ? [] : text.slice(1, -1).split(",").map(Number);
}

/** RFC 3339 of a time as PostgreSQL writes it in a session whose time zone is UTC. */
export function rfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11).replace("+00", "Z")}`;
}
