import { CART_TOKEN } from "../../cart/cart.events";
import { GUEST_TOKEN } from "../key-holder";
import { ANYTHING_SCHEMA } from "./openapi-schemas";

/** A piece of the OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

const SECURITY_SCHEMES: Json = {
  bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
  api_key: { type: "apiKey", in: "header", name: "X-API-Key", description: "For machines" },
};

const PARAMETERS: Json = {
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    description:
      "The same key with the same request gives the first answer again (`Idempotent-Replay: true`); with another request it is refused (409). A refusal is an answer too: to try again, take a new key. Choose a random UUID: any other key of a guest counts together with a token, see X-Guest-Token.",
    schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
  },
  CartToken: {
    name: "X-Cart-Token",
    in: "header",
    required: false,
    description:
      "Opens a guest's cart; given in the header of that name when the cart is made. Browsers carry it in a cookie instead.",
    schema: { type: "string", pattern: CART_TOKEN.source },
  },
  GuestToken: {
    name: "X-Guest-Token",
    in: "header",
    required: false,
    description:
      "A guest's own secret, which its Idempotency-Keys belong to: what is sent again with the same key and token is known as a repetition. Make one up (a UUID), or send the one that the header of that name of an answer has brought. Browsers carry it in a cookie instead. Not needed where the key is a random UUID (version 4 or 7), nor by who is signed in.",
    schema: { type: "string", pattern: GUEST_TOKEN.source },
  },
  DeviceToken: {
    name: "X-Device-Token",
    in: "header",
    required: false,
    description:
      "Given in the header of that name by a login; sent again, somebody else's guesses do not hold this device up. Browsers carry it in a cookie instead.",
    schema: { type: "string", maxLength: 711 },
  },
  IfNoneMatch: {
    name: "If-None-Match",
    in: "header",
    required: false,
    description: "The ETag of the answer that you have.",
    schema: { type: "string" },
  },
};

const PROBLEM: Json = {
  type: "object",
  description: "RFC 9457 problem details",
  required: ["type", "title", "status", "detail", "code", "request_id"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "Stable name of the refusal" },
    request_id: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: { path: { type: "string", description: "JSON pointer" }, message: { type: "string" } },
      },
    },
  },
};

const problemContent: Json = {
  "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
};
const retryAfter: Json = {
  "Retry-After": { description: "Seconds to wait", schema: { type: "integer", minimum: 1 } },
};

const RESPONSES: Json = {
  BadRequest: {
    description: "The request does not fit its contract; `errors` names the fields.",
    content: problemContent,
  },
  Unauthorized: {
    description: "No access token, or one that is no good.",
    headers: { "WWW-Authenticate": { description: "The scheme to use", schema: { type: "string" } } },
    content: problemContent,
  },
  Forbidden: { description: "Your role may not do this, or not at this branch.", content: problemContent },
  Conflict: {
    description:
      "It clashes with what is; or its Idempotency-Key was used with another request (`idempotency.key_reused`).",
    content: problemContent,
  },
  BodyTooLarge: { description: "The body is too large.", content: problemContent },
  MediaType: { description: "The body is not application/json.", content: problemContent },
  TooManyRequests: { description: "Too many requests.", headers: retryAfter, content: problemContent },
  Unavailable: {
    description: "Something this needs is down or busy; try again.",
    headers: retryAfter,
    content: problemContent,
  },
};

/** What the operations of the OpenAPI document refer to. */
export const COMPONENTS: Json = {
  schemas: { Problem: PROBLEM, Anything: ANYTHING_SCHEMA },
  responses: RESPONSES,
  securitySchemes: SECURITY_SCHEMES,
  parameters: PARAMETERS,
};
