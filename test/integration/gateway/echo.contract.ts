import { Type } from "@sinclair/typebox";
import { contract, type RawDocument } from "../../../mixins/contract/contract";
import { strictObject, Uuid } from "../../../mixins/contract/schemas";

const Anything = Type.Unsafe<Record<string, unknown>>(Type.Object({}));

export const readEcho = contract({
  name: "echo.read",
  summary: "Says what it heard",
  kind: "query",
  permission: "public",
  params: strictObject({
    id: Uuid,
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 10, default: 5 })),
    loud: Type.Optional(Type.Boolean()),
    word: Type.Optional(Type.String({ maxLength: 20 })),
  }),
  result: Anything,
  rest: [{ method: "GET", path: "/api/v1/echo/:id" }],
});

export const listEcho = contract({
  name: "echo.list",
  summary: "A static path beside a dynamic one",
  kind: "query",
  permission: "session",
  params: strictObject({}),
  result: Anything,
  rest: [{ method: "GET", path: "/api/v1/echo/mine" }],
});

export const makeEcho = contract({
  name: "echo.make",
  summary: "Repeats itself once it has an Idempotency-Key",
  kind: "command",
  permission: "public",
  params: strictObject({
    name: Type.String({ minLength: 1, maxLength: 20 }),
    count: Type.Optional(Type.Integer()),
    channel: Type.Optional(Type.String()),
    tree: Type.Optional(Type.Unknown()),
  }),
  result: Anything,
  refusals: ["echo.full"],
  rest: [
    { method: "POST", path: "/api/v1/echo", status: 201 },
    { method: "POST", path: "/api/v1/erp/echo", status: 201, fixed: { channel: "erp" } },
  ],
});

export const changeEcho = contract({
  name: "echo.change",
  summary: "Path parameters and a body",
  kind: "command",
  permission: "order.process",
  params: strictObject({ id: Uuid, line: Type.Integer({ minimum: 0 }), text: Type.String() }),
  result: Anything,
  rest: [{ method: "PUT", path: "/api/v1/echo/:id/lines/:line" }],
});

export const dropEcho = contract({
  name: "echo.drop",
  summary: "Has nothing to say",
  kind: "command",
  permission: "public",
  params: strictObject({ id: Uuid }),
  result: Type.Null(),
  rest: [{ method: "DELETE", path: "/api/v1/echo/:id", status: 204 }],
});

export const failEcho = contract({
  name: "echo.fail",
  summary: "Fails as it is told",
  kind: "query",
  permission: "public",
  params: strictObject({ how: Type.String() }),
  result: Anything,
  rest: [{ method: "GET", path: "/api/v1/fail/:how" }],
});

export const cachedEcho = contract({
  name: "echo.cached",
  summary: "Carries an ETag",
  kind: "query",
  permission: "public",
  cacheable: true,
  params: strictObject({}),
  result: Anything,
  rest: [{ method: "GET", path: "/api/v1/cached" }],
});

export const rawEcho = contract({
  name: "echo.raw",
  summary: "Is served as it is",
  kind: "query",
  permission: "public",
  raw: true,
  params: strictObject({}),
  result: Type.Unsafe<RawDocument>(Type.Object({ hello: Type.String() })),
  rest: [{ method: "GET", path: "/api/v1/raw" }],
});

export const knockEcho = contract({
  name: "echo.knock",
  summary: "May be tried three times a minute",
  kind: "command",
  permission: "public",
  rate_per_minute: 3,
  params: strictObject({}),
  result: Anything,
  rest: [{ method: "POST", path: "/api/v1/knock" }],
});

export const greetEcho = contract({
  name: "echo.greet",
  summary: "Says what a device carries, and gives it something to carry",
  kind: "command",
  permission: "public",
  device_token: true,
  params: strictObject({ give: Type.Optional(Type.String()) }),
  result: Anything,
  rest: [{ method: "POST", path: "/api/v1/auth/greet" }],
});

export const pileEcho = contract({
  name: "echo.pile",
  summary: "Takes one or many, of machines too",
  kind: "query",
  permission: "public",
  api_key: true,
  params: strictObject({ things: Type.Array(Anything, { minItems: 1, maxItems: 3 }) }),
  result: Anything,
  rest: [{ method: "POST", path: "/api/v1/pile", body_array: "things", status: 202 }],
});

export const orphanEcho = contract({
  name: "echo.orphan",
  summary: "Is hosted by nobody",
  kind: "query",
  permission: "public",
  params: strictObject({}),
  result: Anything,
  rest: [{ method: "GET", path: "/api/v1/orphan" }],
});

export const echoContracts = [
  readEcho,
  listEcho,
  makeEcho,
  changeEcho,
  dropEcho,
  failEcho,
  cachedEcho,
  rawEcho,
  knockEcho,
  greetEcho,
  pileEcho,
  orphanEcho,
] as const;
