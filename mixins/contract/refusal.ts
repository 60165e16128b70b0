import { Errors } from "moleculer";

/**
 * What sort of "no" a refusal is. The gateway alone turns it into an HTTP status or a gRPC code.
 *
 * - `invalid`: the input is malformed (400)
 * - `unauthorized`: no or bad credentials (401)
 * - `forbidden`: known caller, not allowed (403)
 * - `not_found`: names something unknown (404)
 * - `conflict`: clashes with the present state (409)
 * - `unprocessable`: well formed, but the business says no (422)
 * - `rate_limited`: too fast; `retry_after_s` says when to come back (429)
 */
export type RefusalKind =
  "invalid" | "unauthorized" | "forbidden" | "not_found" | "conflict" | "unprocessable" | "rate_limited";

/** One field's complaint inside an `invalid` refusal; `path` is a JSON pointer into the input. */
export interface FieldError {
  path: string;
  message: string;
}

/** The business says no: a value, returned by `decide` and handled by its caller. Nothing has changed. */
export interface Refusal {
  readonly refused: RefusalKind;
  /** Stable name on the wire, `room.reason`, e.g. `slot.full`. */
  readonly code: string;
  /** One sentence for a person that says what to do. */
  readonly detail: string;
  /** Further members of the problem document, e.g. `next_free`. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Makes a refusal value. */
export function refuse(
  refused: RefusalKind,
  code: string,
  detail: string,
  data?: Readonly<Record<string, unknown>>,
): Refusal {
  return data === undefined ? { refused, code, detail } : { refused, code, detail, data };
}

/** Tells a refusal from any other return value of a decision. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refused" in value && "code" in value;
}

/**
 * A refusal on its way through the broker. Survives NATS: over the wire only `name`, `type` and `data` remain, and
 * {@link refusalOf} reads those.
 */
export class RefusedError extends Errors.MoleculerError {
  constructor(refusal: Refusal) {
    super(refusal.detail, 422, refusal.code, refusal);
    this.name = "RefusedError";
  }
}

/** The refusal that an error carries, here or from another node; undefined for faults and defects. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || error.name !== "RefusedError") return undefined;
  const data: unknown = (error as Error & { data?: unknown }).data;
  return isRefusal(data) ? data : undefined;
}

/** Throws the refusal of a decision; gives any other value back. For service code at the broker's edge. */
export function orThrow<T>(value: T | Refusal): T {
  if (isRefusal(value)) throw new RefusedError(value);
  return value;
}

/**
 * A fault: something that Forno depends on does not answer (database down, mailbox full, retries used up). Nothing was
 * decided, or the outcome is safe to ask for again with the same command id. HTTP 503 with Retry-After, gRPC UNAVAILABLE.
 */
export class UnavailableError extends Errors.MoleculerError {
  constructor(code: string, detail: string, options?: { retry_after_s?: number; cause?: unknown }) {
    super(detail, 503, code, { code, detail, retry_after_s: options?.retry_after_s ?? 1 });
    this.name = "UnavailableError";
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}
