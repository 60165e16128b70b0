import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { Root, type IMapField, type Type } from "protobufjs";
import { faultOf } from "../../../mixins/contract/fault";
import { refusalOf, type FieldError, type Refusal, type RefusalKind } from "../../../mixins/contract/refusal";

const STATUS: Readonly<Record<RefusalKind, status>> = {
  invalid: status.INVALID_ARGUMENT,
  unauthorized: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  not_found: status.NOT_FOUND,
  conflict: status.FAILED_PRECONDITION,
  unprocessable: status.FAILED_PRECONDITION,
  rate_limited: status.RESOURCE_EXHAUSTED,
};

/** What goes back to the client, and whether it was our own mistake (to be logged; its message is hidden). */
export interface Failure {
  readonly answer: Pick<ServiceError, "code" | "details" | "metadata">;
  readonly kind: "refusal" | "fault" | "defect";
}

/** What an error means over gRPC. Trailing metadata: `forno-code`, `request-id`, `retry-after` (seconds), status details. */
export function failureOf(error: unknown, request_id: string): Failure {
  const metadata = new Metadata();
  metadata.set("request-id", request_id);
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    const code = STATUS[refusal.refused];
    metadata.set("forno-code", refusal.code);
    metadata.set("grpc-status-details-bin", statusDetails(code, refusal));
    const after = refusal.data?.["retry_after_s"];
    if (typeof after === "number") metadata.set("retry-after", String(after));
    return { answer: { code, details: refusal.detail, metadata }, kind: "refusal" };
  }
  const fault = faultOf(error);
  if (fault !== undefined) {
    metadata.set("forno-code", fault.code);
    metadata.set("retry-after", String(fault.retry_after_s));
    return { answer: { code: status.UNAVAILABLE, details: fault.detail, metadata }, kind: "fault" };
  }
  metadata.set("forno-code", "internal");
  const details = "Something broke on our side; it was logged under this request-id.";
  return { answer: { code: status.INTERNAL, details, metadata }, kind: "defect" };
}

/** The parts of google.rpc that are needed here, as published in googleapis. */
const GOOGLE_RPC = Root.fromJSON({
  nested: {
    Any: { fields: { type_url: { type: "string", id: 1 }, value: { type: "bytes", id: 2 } } },
    Status: {
      fields: {
        code: { type: "int32", id: 1 },
        message: { type: "string", id: 2 },
        details: { rule: "repeated", type: "Any", id: 3 },
      },
    },
    ErrorInfo: {
      fields: {
        reason: { type: "string", id: 1 },
        domain: { type: "string", id: 2 },
        metadata: { keyType: "string", type: "string", id: 3 } as IMapField,
      },
    },
    BadRequest: {
      fields: { field_violations: { rule: "repeated", type: "FieldViolation", id: 1 } },
      nested: {
        FieldViolation: {
          fields: { field: { type: "string", id: 1 }, description: { type: "string", id: 2 } },
        },
      },
    },
  },
});

const ANY_PREFIX = "type.googleapis.com/google.rpc.";
/** HTTP/2 peers take some 8 KB of trailers: what does not fit stays out. */
const DETAILS_BYTES_MAX = 4096;

/** google.rpc.Status with ErrorInfo (the refusal's code, and its data as JSON) and, for wrong fields, BadRequest. */
function statusDetails(code: status, { code: reason, detail, data = {} }: Refusal): Buffer {
  const { errors, ...rest } = data;
  const texts = Object.entries(rest).map(([name, value]) => [name, JSON.stringify(value)] as const);
  const errorInfo = any("ErrorInfo", { reason, domain: "forno", metadata: Object.fromEntries(texts) });
  const violations = (Array.isArray(errors) ? (errors as FieldError[]) : []).map(({ path, message }) => ({
    field: fieldName(path),
    description: message,
  }));
  const badRequest = violations.length === 0 ? [] : [any("BadRequest", { field_violations: violations })];
  const full = encode("Status", { code, message: detail, details: [errorInfo, ...badRequest] });
  return full.length <= DETAILS_BYTES_MAX ? full : encode("Status", { code, message: detail });
}

/** `/items/0/quantity` → `items[0].quantity`, as google.rpc.BadRequest writes paths. */
function fieldName(pointer: string): string {
  return pointer
    .slice(1)
    .split("/")
    .map((part, i) => (/^\d+$/.test(part) ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join("");
}

function any(type: string, message: object): object {
  return { type_url: `${ANY_PREFIX}${type}`, value: encode(type, message) };
}

function encode(name: string, message: object): Buffer {
  const type: Type = GOOGLE_RPC.lookupType(name);
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}
