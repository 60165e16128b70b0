import { differences } from "../model/digest";
import { wantedTables, type WantedTable } from "../model/tables";
import type { Evidence, Row, Violation } from "./evidence";

/** So many rows of a table are named. */
const TOLD_MAX = 10;

/** Read models hold what follows from the log, row by row and field by field, and nothing else. */
export function readModels({ events, tables }: Pick<Evidence, "events" | "tables">): Violation[] {
  return wantedTables(events).flatMap((wanted) => {
    const found = wrongRows(wanted, tables.get(wanted.table) ?? []);
    const rest = found.length - TOLD_MAX;
    return rest <= 0
      ? found
      : [
          ...found.slice(0, TOLD_MAX),
          { promise: "read_model.more", detail: `${wanted.table}: ${rest} more` },
        ];
  });
}

function wrongRows({ table, key, rows: wanted }: WantedTable, rows: readonly Row[]): Violation[] {
  const nameOf = (row: Row): string => key.map((column) => String(row[column])).join(" ");
  const left = new Map(wanted.map((row) => [nameOf(row), row]));
  const violations: Violation[] = [];
  for (const row of rows) {
    const name = nameOf(row);
    const want = left.get(name);
    left.delete(name);
    // A second row of one key finds nothing left either.
    if (want === undefined) {
      violations.push({ promise: "read_model.not_in_log", detail: `${table} ${name}` });
      continue;
    }
    const columns = Object.fromEntries(Object.keys(want).map((column) => [column, row[column]]));
    const wrong = differences(columns, want);
    if (wrong.length > 0)
      violations.push({ promise: "read_model.differs", detail: `${table} ${name}: ${wrong.join(", ")}` });
  }
  for (const name of left.keys())
    violations.push({ promise: "read_model.missing", detail: `${table} ${name}` });
  return violations;
}
