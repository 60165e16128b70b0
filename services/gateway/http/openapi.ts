import type { TObject, TSchema } from "@sinclair/typebox";
import type { ActionContract } from "../../../mixins/contract/contract";
import { BODY_BYTES_MAX } from "./json-body";
import { doorsOf, type Door } from "./door";
import { gatewayRefusals, rolesOf } from "./gateway-refusals";
import { COMPONENTS, type Json } from "./openapi-components";
import { RULES } from "./openapi-rules";
import { told } from "./openapi-schemas";

/** The OpenAPI 3.1 document of all contracts with doors. JSON Schema 2020-12 is OpenAPI's own, so schemas go in as they are. */
export function openApiOf(contracts: readonly ActionContract[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const door of doorsOf(contracts)) {
    const path = door.binding.path.replaceAll(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[door.binding.method.toLowerCase()] = operation(door);
  }
  const rooms = [...new Set(contracts.filter((one) => one.rest !== undefined).map(roomOf))].sort();
  return {
    openapi: "3.1.0",
    info: {
      title: "Forno",
      version: "1.0.0",
      description:
        "Orders, kitchen, menu and stock of a pizzeria chain. Money is in integer minor units, times are RFC 3339 UTC, errors are RFC 9457 problem documents with a stable `code`.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: rooms.map((name) => ({ name })),
    paths,
    components: COMPONENTS,
  };
}

function operation(door: Door): Json {
  const { contract, binding } = door;
  return {
    operationId: operationId(door),
    summary: contract.summary,
    description: [
      `Broker action \`${contract.name}\`. Roles: ${rolesOf(door).join(", ")}.`,
      ...new Set(codesOf(door).flatMap((code) => RULES[code] ?? [])),
    ].join("\n\n"),
    tags: [roomOf(contract)],
    // Tokens are optional where guests may go.
    security: securityOf(contract),
    parameters: [...pathAndQuery(door), ...headerParameters(contract)],
    ...requestBody(door),
    responses: {
      [String(binding.status ?? 200)]: success(contract, binding.status),
      ...(contract.cacheable === true || contract.raw === true
        ? { "304": { description: "You have it already." } }
        : {}),
      ...problems(door),
    },
  };
}

const roomOf = (contract: ActionContract): string => contract.name.split(".", 1)[0] ?? contract.name;
const guestsMay = (contract: ActionContract): boolean => rolesOf({ contract }).includes("guest");

function securityOf(contract: ActionContract): Json[] {
  if (contract.api_key === true) return [{ bearer: [] }, { api_key: [] }];
  return guestsMay(contract) ? [{}, { bearer: [] }] : [{ bearer: [] }];
}

/** One action may have several doors, and operation ids must differ. */
function operationId({ contract, binding }: Door): string {
  const doors = contract.rest ?? [];
  const suffix = doors.length > 1 ? `_${String(doors.indexOf(binding) + 1)}` : "";
  return contract.name.replaceAll(/[^\w]+/g, "_") + suffix;
}

function pathAndQuery({ contract, binding, path_names, takes_body }: Door): Json[] {
  const { properties, required = [] } = contract.params;
  const names = takes_body
    ? path_names
    : Object.keys(properties).filter((name) => !Object.hasOwn(binding.fixed ?? {}, name));
  return names.map((name) => {
    const inPath = path_names.includes(name);
    const schema = told(properties[name] as TSchema);
    return {
      name,
      in: inPath ? "path" : "query",
      required: inPath || required.includes(name),
      ...(schema.description === undefined ? {} : { description: schema.description }),
      schema,
    };
  });
}

function headerParameters(contract: ActionContract): Json[] {
  const given = [
    ...(contract.cart_token === true ? [{ $ref: "#/components/parameters/CartToken" }] : []),
    ...(contract.device_token === true ? [{ $ref: "#/components/parameters/DeviceToken" }] : []),
  ];
  if (contract.kind === "command")
    return [
      { $ref: "#/components/parameters/IdempotencyKey" },
      ...(guestsMay(contract) ? [{ $ref: "#/components/parameters/GuestToken" }] : []),
      ...given,
    ];
  if (given.length > 0) return given;
  return contract.cacheable === true || contract.raw === true
    ? [{ $ref: "#/components/parameters/IfNoneMatch" }]
    : [];
}

function requestBody({ contract, binding, taken_names, takes_body }: Door): Json {
  if (!takes_body) return {};
  const { properties: params, required = [], anyOf } = contract.params as TObject & { anyOf?: unknown };
  const properties = told(params);
  const names = Object.keys(properties).filter((name) => !taken_names.includes(name));
  if (names.length === 0) return {};
  const needed = names.filter((name) => required.includes(name));
  const list = properties[binding.body_array ?? ""];
  const schema =
    list === undefined
      ? {
          type: "object",
          additionalProperties: false,
          properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
          ...(needed.length === 0 ? {} : { required: needed }),
          ...(anyOf === undefined ? {} : { anyOf }),
        }
      : { anyOf: [list, list["items"] as Json] };
  const examples: unknown = contract.params["examples"];
  const [example] = Array.isArray(examples) ? (examples as unknown[]) : [];
  return {
    requestBody: {
      required: needed.length > 0,
      description: `At most ${String(binding.body_bytes_max ?? BODY_BYTES_MAX)} bytes.`,
      content: { "application/json": { schema, ...(example === undefined ? {} : { example }) } },
    },
  };
}

function success(contract: ActionContract, status: number | undefined): Json {
  if (status === 204) return { description: "Done." };
  const replay = {
    "Idempotent-Replay": {
      description: "`true` when this is an earlier answer given again",
      schema: { type: "string" },
    },
  };
  const etag = { ETag: { description: "Entity tag of this answer", schema: { type: "string" } } };
  const headers =
    contract.kind === "command"
      ? replay
      : contract.cacheable === true || contract.raw === true
        ? etag
        : undefined;
  return {
    description: contract.summary,
    ...(headers === undefined ? {} : { headers }),
    content: { [contract.content_type ?? "application/json"]: { schema: contract.result } },
  };
}

const FORBIDS: readonly string[] = ["auth.forbidden", "auth.chain_only"];

/** Every code with which an operation can be refused. */
const codesOf = (door: Door): string[] => [
  ...new Set([...gatewayRefusals(door), ...(door.contract.refusals ?? [])]),
];

/** Statuses that say what to do by a header of their own are told apart; `4XX` names every code of all refusals. */
function problems(door: Door): Json {
  const { contract, takes_body } = door;
  const ref = (name: string): Json => ({ $ref: `#/components/responses/${name}` });
  const codes = codesOf(door);
  return {
    "400": ref("BadRequest"),
    "401": ref("Unauthorized"),
    ...(codes.some((code) => FORBIDS.includes(code)) ? { "403": ref("Forbidden") } : {}),
    ...(contract.kind === "command" ? { "409": ref("Conflict") } : {}),
    ...(takes_body ? { "413": ref("BodyTooLarge"), "415": ref("MediaType") } : {}),
    "429": ref("TooManyRequests"),
    "503": ref("Unavailable"),
    "4XX": {
      description: `Refused: ${codes.map((code) => `\`${code}\``).join(", ")}.`,
      content: {
        "application/problem+json": {
          schema: {
            allOf: [{ $ref: "#/components/schemas/Problem" }, { properties: { code: { enum: codes } } }],
          },
        },
      },
    },
  };
}
