import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { Permission } from "./permissions";

/** One REST door to an action. */
export interface RestBinding {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Full path with `:name` for path parameters, e.g. `/api/v1/erp/orders/:order_id`. */
  readonly path: string;
  /** Status of success; 200 unless said. */
  readonly status?: 200 | 201 | 202 | 204;
  /** Parameters that this door fixes, e.g. `{ channel: "erp" }`; the client may not send them. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  /** Largest JSON body that this door takes, in bytes; 256 KiB unless said. */
  readonly body_bytes_max?: number;
  /** The whole body is this parameter, a list: a JSON array as it is, a single object as a list of one. */
  readonly body_array?: string;
}

/**
 * The answer of a contract with `raw`: bytes that are ready to send, serialised once and not once a request.
 * A type, not an interface, so that it can be a `Type.Unsafe<RawDocument>(SchemaOfTheBody)`.
 */
export type RawDocument = {
  /** A string where it may cross the transporter: JSON between nodes makes a Buffer five times as long. */
  readonly body: Buffer | string;
  readonly content_type: string;
  /** With its quotes, e.g. `"v42"`. */
  readonly etag?: string;
  /** Seconds that anybody may keep it without asking; absent: keep, but ask again each time. */
  readonly max_age_s?: number;
};

/**
 * One operation, said once: static types, validation, REST and OpenAPI all come from here.
 *
 * Path parameters, query (GET, DELETE) and body (POST, PUT) are merged by the gateway into one flat `params` object; a
 * name may come from one place only, unknown names are refused. Path and query strings are coerced by the schema, a JSON
 * body never is.
 */
export interface ActionContract<P extends TObject = TObject, R extends TSchema = TSchema> {
  /** Broker action, `room.verb`, e.g. `order.place`. */
  readonly name: string;
  readonly summary: string;
  /** A query changes nothing; a command takes Idempotency-Key and carries a {@link CommandIdentity}. */
  readonly kind: "query" | "command";
  readonly params: P;
  readonly result: R;
  /** Row of the permission table that a caller needs. */
  readonly permission: Permission;
  /** `chain`: what it changes is every branch's, so staff who are bound to branches may not. */
  readonly reach?: "chain";
  /** Calls a minute of one account, or of a guest's address, by whatever way; where the default for writes does not fit. */
  readonly rate_per_minute?: number;
  readonly rest?: readonly RestBinding[];
  /** Takes a guest's cart token, from the header X-Cart-Token or the cookie; see `CallMeta.cart_token`. */
  readonly cart_token?: true;
  /** Takes what a device carries to be known again, from the header X-Device-Token or the cookie; see `CallMeta.device_token`. */
  readonly device_token?: true;
  /** Machines may send a key instead of a token, in the header X-API-Key; see `CallMeta.api_key`. */
  readonly api_key?: true;
  /** GET answers carry an ETag of their bytes, and 304 answers a matching If-None-Match. */
  readonly cacheable?: true;
  /** The action returns a {@link RawDocument}; `result` then describes the body, for OpenAPI. */
  readonly raw?: true;
  /** Media type of the answer, for OpenAPI; `application/json` unless said. */
  readonly content_type?: string;
  /** Refusal codes that this operation can answer with, for OpenAPI and its readers. */
  readonly refusals?: readonly string[];
}

export type ParamsOf<C extends ActionContract> = Static<C["params"]>;
export type ResultOf<C extends ActionContract> = Static<C["result"]>;

/** Declares a contract, keeping its literal types. */
export function contract<P extends TObject, R extends TSchema>(
  definition: ActionContract<P, R>,
): ActionContract<P, R> {
  return definition;
}
