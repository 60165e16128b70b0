import { faultOf } from "../../../mixins/contract/fault";
import { refusalOf, type FieldError, type Refusal, type RefusalKind } from "../../../mixins/contract/refusal";

/** RFC 9457 problem details, with Forno's stable `code`. Refusals may add members of their own (`next_free`, …). */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable name of the refusal, e.g. `slot.full`. */
  readonly code: string;
  readonly errors?: readonly FieldError[];
  readonly request_id?: string;
  readonly [member: string]: unknown;
}

/** A problem and what goes beside it. `defect`: our own mistake, to be logged; the document hides its message. */
export interface Problem {
  readonly document: ProblemDocument;
  readonly headers: Readonly<Record<string, string>>;
  readonly kind: "refusal" | "fault" | "defect";
}

/** HTTP itself says no, before any action is asked: wrong method, media type, size, encoding. */
export class HttpRefusal extends Error {
  constructor(
    readonly status: 400 | 404 | 405 | 413 | 415,
    readonly code: string,
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.name = "HttpRefusal";
  }
}

const STATUS: Readonly<Record<RefusalKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  unprocessable: 422,
  rate_limited: 429,
};

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A problem document without extensions. */
export function problemDocument(status: number, code: string, detail: string): ProblemDocument {
  return { type: "about:blank", title: TITLES[status] ?? "Error", status, detail, code };
}

/**
 * What an error means over HTTP: a refusal by its kind, a fault 503 with Retry-After, and anything else a defect, 500
 * with its message hidden.
 */
export function problemOf(error: unknown): Problem {
  const refusal = refusalOf(error);
  if (refusal !== undefined) return ofRefusal(refusal);
  if (error instanceof HttpRefusal)
    return {
      document: problemDocument(error.status, error.code, error.message),
      headers: error.headers,
      kind: "refusal",
    };
  const fault = faultOf(error);
  if (fault !== undefined)
    return {
      document: problemDocument(503, fault.code, fault.detail),
      headers: { "Retry-After": wholeSeconds(fault.retry_after_s) },
      kind: "fault",
    };
  return {
    document: problemDocument(
      500,
      "internal",
      "Something broke on our side; it was logged under this request_id.",
    ),
    headers: {},
    kind: "defect",
  };
}

function ofRefusal({ refused, code, detail, data }: Refusal): Problem {
  return {
    document: { ...data, ...problemDocument(STATUS[refused], code, detail) },
    headers: refusalHeaders(refused, data),
    kind: "refusal",
  };
}

function refusalHeaders(refused: RefusalKind, data: Refusal["data"]): Record<string, string> {
  if (refused === "unauthorized") return { "WWW-Authenticate": 'Bearer realm="forno"' };
  if (refused !== "rate_limited") return {};
  const after = data?.["retry_after_s"];
  return { "Retry-After": wholeSeconds(typeof after === "number" ? after : 1) };
}

/** Retry-After knows whole seconds only, and 0 would be an invitation to hammer. */
const wholeSeconds = (seconds: number): string => String(Math.max(1, Math.ceil(seconds)));
