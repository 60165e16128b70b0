import { UnavailableError } from "../contract/refusal";

/** Moleculer's words for "that node did not get to it, or will not say whether it did". */
const UNREACHED = new Set([
  "RequestRejectedError",
  "ServiceNotFoundError",
  "ServiceNotAvailableError",
  "BrokerDisconnectedError",
]);
const SILENT = "node.silent";

/** The node does not give any sign of life. */
export function nodeSilent(): UnavailableError {
  return new UnavailableError(SILENT, "Another node does not answer; try again.");
}

/** The node lives, and what was asked of it takes too long. */
export function nodeSlow(): UnavailableError {
  return new UnavailableError("node.slow", "Another node takes too long to answer; try again.");
}

/**
 * Whether an error means that another node may be asked the same: this one is gone, frozen or stopping. What was asked of it
 * may have been done all the same, so only what may be repeated may be asked again.
 */
export function isUnreached(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return UNREACHED.has(error.name) || typeOf(error) === SILENT || isStopping(error);
}

/** Whether an error says that the node which was asked cannot reach the log; others may. */
export function isWithoutLog(error: unknown): boolean {
  return typeOf(error) === "log.unavailable";
}

/** Whether an error is an actor host's word that its node is going away. */
export function isStopping(error: unknown): boolean {
  return typeOf(error) === "actor.stopping";
}

/** The stable name of an error, as the transporter keeps it. */
function typeOf(error: unknown): unknown {
  return error instanceof Error && "type" in error ? error.type : undefined;
}
