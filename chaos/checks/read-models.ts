import type { Evidence, Violation } from "./evidence";

/** Read models are what a rebuild from zero makes of the log, row by row, and so are their mirrors outside of the database. */
export function readModels({ tables, mirrors }: Pick<Evidence, "tables" | "mirrors">): Violation[] {
  return [
    ...tables.flatMap(({ table, only_live, only_rebuilt }) => [
      ...only_live.map((row) => ({
        promise: "read_model.not_in_log",
        detail: `${table} has ${JSON.stringify(row)}`,
      })),
      ...only_rebuilt.map((row) => ({
        promise: "read_model.missing",
        detail: `${table} lacks ${JSON.stringify(row)}`,
      })),
    ]),
    ...mirrors.map(({ key, mirror, read_model }) => ({
      promise: "mirror.differs",
      detail: `${key} is ${JSON.stringify(mirror)}, the read model has ${JSON.stringify(read_model)}`,
    })),
  ];
}
