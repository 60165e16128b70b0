import { DatabaseError } from "pg";
import { UnavailableError } from "../contract/refusal";

/**
 * What an error of the database asks for.
 *
 * - `retry`: not now (nobody there, connection lost, shut down, cancelled, lock timeout, deadlock, a standby)
 * - `full`: the disk is full: nothing changes by itself within a client's patience
 * - `partition`: an insert found no partition for its position, or for its time
 * - `lost`: a partition that held events is gone: nothing may be written behind the hole
 * - `unit`: one of the values cannot be stored
 * - `defect`: the statement or its schema is wrong
 */
export type DatabaseFault = "retry" | "full" | "partition" | "lost" | "unit" | "defect";

/** SQLSTATE classes: data exception, integrity violation, limits of the program. */
const OF_A_UNIT = /^(22|23|54)/;
/** Syntax or access rule, raised by a function of ours, internal. */
const OF_OURS = /^(42|P0|XX)/;

/** How node-postgres says that a connection broke, or that the server did not answer in time. */
const CONNECTION =
  /^(Connection (terminated|ended)|Client (has encountered a connection error|was closed)|timeout (expired|exceeded)|Query read timeout|write after end|Cannot call write)/;

/** Told by shape, not by class: errors of Node's own may come from another realm. */
export function faultOf(error: unknown): DatabaseFault {
  if (error instanceof DatabaseError) {
    const code = error.code ?? "";
    // By the server's routine, because its texts are translated.
    if (code === "23514" && error.routine === "ExecFindPartition") return "partition";
    if (code === "FO001") return "lost";
    if (code === "53100") return "full";
    if (OF_A_UNIT.test(code)) return "unit";
    return OF_OURS.test(code) ? "defect" : "retry";
  }
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  // Errors of the operating system carry a code like ECONNREFUSED.
  if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return "retry";
  return typeof message === "string" && CONNECTION.test(message) ? "retry" : "defect";
}

/** Whether it is the database's state that stands in the way, and not what was asked of it. */
export function isOutage(error: unknown): boolean {
  return ["retry", "full", "lost"].includes(faultOf(error));
}

/** Whether nobody answered at all, or only to say that the server is going down or coming up. */
export function isSilence(error: unknown): boolean {
  return error instanceof DatabaseError ? /^(08|57P)/.test(error.code ?? "") : faultOf(error) === "retry";
}

const DETAIL: Partial<Record<DatabaseFault, string>> = {
  full: "The disk of the event log is full, nothing was written; free some space, then try again.",
  lost: "A part of the event log is missing, nothing was written; see the health report.",
};

/** What was decided or read may rest on events that the log does not hold any more. */
export function wentBack(): UnavailableError {
  return unavailable(
    new Error("The log went back to an earlier point, or another server took over, meanwhile."),
  );
}

/** The fault that callers of the log see. */
export function unavailable(cause: unknown): UnavailableError {
  const detail = DETAIL[faultOf(cause)] ?? "The event log does not answer; try again in a moment.";
  return new UnavailableError("log.unavailable", detail, { cause });
}
