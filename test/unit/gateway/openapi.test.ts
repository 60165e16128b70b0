import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { Type } from "@sinclair/typebox";
import { Ajv2020 } from "ajv/dist/2020";
import formats from "ajv-formats";
import fc from "fast-check";
import type { Role } from "../../../mixins/contract/caller";
import { allows } from "../../../mixins/contract/permissions";
import { strictObject } from "../../../mixins/contract/schemas";
import { validatorOf } from "../../../mixins/contract/validation";
import { doorsOf, type Door } from "../../../services/gateway/http/door";
import { RULES } from "../../../services/gateway/http/openapi-rules";
import { ANYTHING_SCHEMA, told } from "../../../services/gateway/http/openapi-schemas";
import { CONTRACTS } from "../../support/contracts";
import { unportablePart } from "../../support/portable-pattern";
import { openApiOf } from "../../../services/gateway/http/openapi";
import { opsContracts } from "../../../services/ops/ops.contract";
import { echoContracts } from "../../integration/gateway/echo.contract";
import { openApiComplaints } from "../../support/openapi-complaints";

type Loose = Record<string, Record<string, Record<string, unknown>>>;
const spec = JSON.parse(JSON.stringify(openApiOf([...echoContracts, ...opsContracts]))) as Record<
  string,
  unknown
>;
const paths = spec["paths"] as Loose;

describe("the OpenAPI document", () => {
  it("is one of OpenAPI 3.1, with valid schemas, references that lead somewhere and unique operation ids", () => {
    expect(openApiComplaints(spec)).toEqual([]);
  });

  it("splits parameters into path, query and body, and leaves out what a door fixes", () => {
    const names = (path: string, method: string) =>
      (paths[path]?.[method]?.["parameters"] as { name?: string; in?: string }[]).map((one) =>
        `${one.in ?? ""} ${one.name ?? ""}`.trim(),
      );
    expect(names("/api/v1/echo/{id}", "get")).toEqual(["path id", "query count", "query loud", "query word"]);
    expect(names("/api/v1/echo/{id}/lines/{line}", "put")).toEqual(["path id", "path line", ""]);
    const body = (path: string) =>
      Object.keys(
        (
          paths[path]?.["post"]?.["requestBody"] as {
            content: { "application/json": { schema: { properties: object } } };
          }
        ).content["application/json"].schema.properties,
      );
    expect(body("/api/v1/echo")).toEqual(["name", "count", "channel", "tree"]);
    expect(body("/api/v1/erp/echo")).toEqual(["name", "count", "tree"]);
  });

  it("describes a body that is one or many, and machines that send a key", () => {
    const pile = paths["/api/v1/pile"]?.["post"] as unknown as Record<string, unknown>;
    expect(pile["requestBody"]).toMatchObject({
      required: true,
      content: {
        "application/json": { schema: { anyOf: [{ type: "array", maxItems: 3 }, { type: "object" }] } },
      },
    });
    expect(pile["security"]).toEqual([{ bearer: [] }, { api_key: [] }]);
  });

  it("tells of Idempotency-Key, tokens, statuses and refusals", () => {
    const make = paths["/api/v1/echo"]?.["post"] as unknown as Record<string, Record<string, unknown>>;
    expect(make["parameters"]).toContainEqual({ $ref: "#/components/parameters/IdempotencyKey" });
    expect(make["security"]).toEqual([{}, { bearer: [] }]);
    expect(Object.keys(make["responses"] ?? {})).toEqual(
      expect.arrayContaining(["201", "400", "413", "415", "429", "503", "4XX"]),
    );
    expect(JSON.stringify(make["responses"])).toContain("echo.full");
    const change = paths["/api/v1/echo/{id}/lines/{line}"]?.["put"] as unknown as Record<string, unknown>;
    expect(change["security"]).toEqual([{ bearer: [] }]);
    expect(paths["/api/v1/cached"]?.["get"]?.["responses"]).toHaveProperty("304");
  });
});

/** Refusals between rooms: who asks makes something else of them. */
const INSIDE = [
  ...["cart.checkout_under_way", "cart.unknown", "menu.already_seeded", "menu.as_wanted", "offer.exhausted"],
  ...["post.already_seeded", "row.as_wanted", "sale.said", "slot.already_released", "slot.not_booked"],
  // Sockets and gRPC.
  ...["stream.exists", "track.shop_only", "watch.too_many"],
];

describe("the OpenAPI document of Forno", () => {
  interface Operation {
    readonly description: string;
    readonly responses: Readonly<Record<string, { readonly content?: object; readonly description: string }>>;
  }
  const whole = JSON.parse(JSON.stringify(openApiOf(CONTRACTS))) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const doors = doorsOf(CONTRACTS);
  const operationOf = ({ binding: { method, path } }: Door): Operation => {
    const found = whole.paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
    if (found === undefined) throw new Error(`no ${method} ${path}`);
    return found;
  };
  const codesOf = (door: Door): string[] =>
    [...(operationOf(door).responses["4XX"]?.description ?? "").matchAll(/`([^`]+)`/g)].map(
      ([, code]) => code ?? "",
    );
  const having = (code: string): string[] =>
    doors.filter((door) => codesOf(door).includes(code)).map(({ title }) => title);
  const those = (test: (door: Door) => boolean): string[] => doors.filter(test).map(({ title }) => title);

  it("is valid", () => {
    expect(openApiComplaints({ ...whole })).toEqual([]);
  });

  it("has no pattern that only JavaScript reads", () => {
    const patterns = [...JSON.stringify(whole).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
      ([, text = ""]) => String(JSON.parse(text)),
    );
    expect(patterns.length).toBeGreaterThan(100);
    expect(patterns.map(unportablePart).filter((part) => part !== undefined)).toEqual([]);
  });

  it("tells at every command what becomes of a key, and at every other operation nothing of it", () => {
    const commands = those(({ contract }) => contract.kind === "command");
    expect(commands.length).toBeGreaterThan(60);
    for (const code of ["idempotency.key_reused", "idempotency.bad_key"])
      expect(having(code)).toEqual(commands);
  });

  it("tells where a role is refused, and where a guest is", () => {
    const may = (door: Door, role: Role): boolean => allows(door.contract.permission, role);
    const signedIn = ["super_admin", "manager", "technologist", "cook", "courier", "customer"] as const;
    expect(having("auth.forbidden")).toEqual(those((door) => !signedIn.every((role) => may(door, role))));
    expect(having("auth.required")).toEqual(expect.arrayContaining(those((door) => !may(door, "guest"))));
  });

  it.each([
    ["input.cursor_malformed", "cursor"],
    ["input.position_unknown", "after"],
  ])("tells of %s wherever %s is taken", (code, name) => {
    expect(having(code)).toEqual(
      expect.arrayContaining(those((door) => Object.hasOwn(door.contract.params.properties, name))),
    );
  });

  it("knows every code with which the edge refuses", () => {
    const folder = path.join(__dirname, "../../../services/gateway");
    const sources = globSync("{http/,}*.ts", { cwd: folder }).map((file) =>
      readFileSync(path.join(folder, file), "utf8"),
    );
    const thrown = sources.flatMap((text) =>
      [...text.matchAll(/(?:refuse\(\s*"\w+"|new HttpRefusal\(\s*\d+),\s*"([\w.]+)"/g)].map(
        ([, code]) => code ?? "",
      ),
    );
    expect(thrown.length).toBeGreaterThan(15);
    // Of addresses and methods at which there is no operation.
    const elsewhere = ["http.not_found", "http.method_not_allowed", "http.bad_target"];
    const told = new Set(doors.flatMap(codesOf));
    expect([...new Set(thrown)].filter((code) => !told.has(code) && !elsewhere.includes(code))).toEqual([]);
  });

  it("knows every code that a room can refuse with, but for those that never leave a node or are told at sockets", () => {
    const folder = path.join(__dirname, "../../..");
    const sources = globSync("{services,mixins}/**/*.ts", { cwd: folder }).map((file) =>
      readFileSync(path.join(folder, file), "utf8"),
    );
    const said = sources.flatMap((text) =>
      [...text.matchAll(/\b(?:refuse|no|rotten)\(\s*(?:"\w+",\s*)?"([a-z_]+\.[a-z_]+)"/g)].map(
        ([, code]) => code ?? "",
      ),
    );
    const told = new Set(doors.flatMap(codesOf));
    const untold = [...new Set(said)].filter(
      (code) => !told.has(code) && !/^(frame|subscription)\./.test(code),
    );
    expect(untold.sort()).toEqual(INSIDE);
  });

  it("says the rules that no schema can, at every operation that holds them, and none that nobody holds", () => {
    for (const [code, rule] of Object.entries(RULES)) {
      expect(having(code).length).toBeGreaterThan(0);
      for (const door of doors)
        expect(operationOf(door).description.includes(rule)).toBe(
          codesOf(door).some((one) => RULES[one] === rule),
        );
    }
  });

  it("bounds every whole number that a client may send: beyond 2^53 they are others in JavaScript", () => {
    const unbounded = (schema: unknown, at: string): string[] => {
      if (typeof schema !== "object" || schema === null) return [];
      const { type, maximum } = schema as { readonly type?: unknown; readonly maximum?: unknown };
      const here = type === "integer" && !(Number(maximum) <= Number.MAX_SAFE_INTEGER) ? [at] : [];
      return [...here, ...Object.entries(schema).flatMap(([name, part]) => unbounded(part, `${at}/${name}`))];
    };
    expect(doors.flatMap(({ title, contract }) => unbounded(contract.params.properties, title))).toEqual([]);
  });

  it("says that a dish is named by its id or its name", () => {
    const place = JSON.stringify(
      operationOf(doors.find(({ title }) => title === "POST /api/v1/order") as Door),
    );
    expect(place).toContain('"anyOf":[{"required":["menu_item_id"]},{"required":["name"]}]');
  });
});

describe("schemas as the document tells them", () => {
  const ajv = formats(new Ajv2020({ strict: false }));

  it.each(["date-time", "date", "uuid"] as const)("refuse as %s what the validator refuses", (format) => {
    const schema = Type.String({ format });
    const tells = ajv.compile(told(schema));
    const validate = validatorOf(strictObject({ value: schema }));
    const texts = fc.oneof(
      fc.string(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.constantFrom(
        ...[
          "2026-11-30T10:00:00+16:00",
          "0000-01-01T00:00:00Z",
          "2026-11-30t10:00:00z",
          "2026-11-30T23:59:60Z",
        ],
        ...[
          "2026-11-30 10:00:00Z",
          "2026-11-30T10:00:00.1234567890Z",
          "2026-02-30",
          "2026-11-30",
          "0000-11-30",
        ],
        ...[
          "2026-11-30T10:00:00-15:59",
          "urn:uuid:0199a3b2-7c1d-7e4f-8a5b-6c7d8e9f0a1b",
          "0199A3B2-7c1d-7e4f-8a5b-6c7d8e9f0a1b",
        ],
      ),
    );
    fc.assert(
      fc.property(texts, (value) => {
        // Years that an offset carries beyond the calendar are the validator's alone.
        if (/^(0001|9999|[+-])/.test(value)) return;
        expect(tells(value)).toBe(validate({ value }) === undefined);
      }),
      { numRuns: 500 },
    );
  });

  it.each([Type.Object({}), Type.Record(Type.String(), Type.Unknown())])(
    "leave out NUL in what is a client's own, however deep: %j",
    (free) => {
      const fits = ajv.compile({ components: { schemas: { Anything: ANYTHING_SCHEMA } }, ...told(free) });
      expect(fits({ a: [{ b: "c", d: 1 }], e: null })).toBe(true);
      const nul = "\u0000";
      for (const bad of [{ [nul]: 1 }, { a: nul }, { a: [{ [nul]: 1 }] }, { "\n": { b: [nul] } }])
        expect(fits(bad)).toBe(false);
    },
  );

  it("are as strict as before where names are known", () => {
    expect(told(strictObject({ a: Type.Boolean() }))).not.toHaveProperty("propertyNames");
  });

  it("leave out NUL where a text is free, and what is data as it is", () => {
    const schema = Type.String({ maxLength: 5, default: "a", examples: ["b"] });
    expect(told(schema)).toMatchObject({
      maxLength: 5,
      default: "a",
      examples: ["b"],
      pattern: "^[^\\x00]*$",
    });
    expect(ajv.compile(told(schema))("a\u0000")).toBe(false);
    expect(told(Type.String({ pattern: "^a$" })).pattern).toBe("^a$");
  });
});
