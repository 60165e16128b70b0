/** Something that Forno depends on did not answer, as a client may be told. */
export interface Fault {
  readonly code: string;
  readonly detail: string;
  readonly retry_after_s: number;
}

/** Moleculer's own errors that mean "not now": nobody hosts the action, it timed out, a queue is full. By name, because
 * that is what is left of a class after the transporter. */
const BROKER_FAULTS = new Set([
  "ServiceNotFoundError",
  "ServiceNotAvailableError",
  "ServiceUnavailableError",
  "RequestTimeoutError",
  "RequestRejectedError",
  "RequestSkippedError",
  "QueueIsFullError",
  "BrokerDisconnectedError",
]);

/**
 * Connection errors of Node; PostgreSQL classes 08 (connection), 53 (resources) and 57P (server going away); cancelled
 * statements, lock timeouts, serialization failures and deadlocks.
 */
const CONNECTION_FAULT =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|08\w{3}|53\w{3}|57P\w\d|57014|55P03|40001|40P01)$/;
/** `pg` gives these two no code. */
const POOL_FAULT = /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/;

interface LooseError extends Error {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly type?: unknown;
  readonly data?: { readonly retry_after_s?: unknown } | null;
  readonly driverError?: unknown;
}

/** The fault that an error stands for, here or from another node; undefined for refusals and defects. */
export function faultOf(error: unknown): Fault | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message, type, data } = error as LooseError;
  if (name === "UnavailableError") {
    const after = data?.retry_after_s;
    return { code: String(type), detail: message, retry_after_s: typeof after === "number" ? after : 1 };
  }
  if (BROKER_FAULTS.has(name))
    return {
      code: "service.unavailable",
      detail: "The service behind this does not answer.",
      retry_after_s: 1,
    };
  if (isConnectionFault(error))
    return { code: "database.unavailable", detail: "The database does not answer.", retry_after_s: 2 };
  return undefined;
}

function isConnectionFault(error: LooseError): boolean {
  const { code, syscall, message, driverError } = error;
  if (driverError instanceof Error && driverError !== error) return isConnectionFault(driverError);
  // The Unix socket of a stopped PostgreSQL is a missing file.
  if (code === "ENOENT") return syscall === "connect";
  return typeof code === "string" ? CONNECTION_FAULT.test(code) : POOL_FAULT.test(message);
}
