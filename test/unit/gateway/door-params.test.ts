import { Type } from "@sinclair/typebox";
import { contract, type RestBinding } from "../../../mixins/contract/contract";
import { refusalOf } from "../../../mixins/contract/refusal";
import { strictObject } from "../../../mixins/contract/schemas";
import { bodyParams, textParams } from "../../../services/gateway/http/door-params";
import { doorsOf, type Door } from "../../../services/gateway/http/door";
import { parseQuery } from "../../../services/gateway/http/query-string";

const params = strictObject({
  id: Type.Integer(),
  flag: Type.Optional(Type.Boolean()),
  channel: Type.Optional(Type.String()),
});
const made = (rest: readonly RestBinding[], change: object = {}) =>
  contract({
    name: "t.do",
    summary: "",
    kind: "query",
    permission: "public",
    params,
    result: Type.Null(),
    rest,
    ...change,
  });

function door(binding: RestBinding): Door {
  const [first] = doorsOf([made([binding])]);
  if (first === undefined) throw new Error("no door");
  return first;
}

function errorsOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return refusalOf(error)?.data?.["errors"];
  }
}

const LIST = { params: strictObject({ ids: Type.Array(Type.Integer()) }) };
const MORE = { params: strictObject({ ids: Type.Array(Type.Integer()), flag: Type.Boolean() }) };

describe("parameters of a request", () => {
  it("are path and query together, as the schema wants them, and what the door fixes", () => {
    const get = door({ method: "GET", path: "/t/:id", fixed: { channel: "erp" } });
    expect(textParams(get, { id: "7" }, parseQuery("flag=false"))).toEqual({
      id: 7,
      flag: false,
      channel: "erp",
    });
  });

  it("are never coerced from a body", () => {
    const post = door({ method: "POST", path: "/t" });
    expect(bodyParams(post, {}, { id: "7" })).toEqual({ id: "7" });
  });

  it("come from one place only", () => {
    const get = door({ method: "GET", path: "/t/:id", fixed: { channel: "erp" } });
    expect(errorsOf(() => textParams(get, { id: "7" }, { id: "7", channel: "erp" }))).toEqual([
      { path: "/id", message: "is given by the path already" },
      { path: "/channel", message: "is not a known field" },
    ]);
    const put = door({ method: "PUT", path: "/t/:id" });
    expect(errorsOf(() => bodyParams(put, { id: 7 }, { id: 7 }))).toEqual([
      { path: "/id", message: "is given by the path already" },
    ]);
  });

  it("do not become numbers that are none", () => {
    const get = door({ method: "GET", path: "/t/:id" });
    for (const id of ["", " ", "1.5", "1e999", "Infinity", "NaN", "seven"])
      expect(errorsOf(() => textParams(get, { id }, {}))).toEqual([
        { path: "/id", message: "must be integer" },
      ]);
  });
});

describe("a query string", () => {
  it("is flat text", () => {
    expect(parseQuery("a=1&b[c]=2&d=&e&f=x%20y+z&&%D1%84=%E2%82%AC")).toEqual({
      a: "1",
      "b[c]": "2",
      d: "",
      e: "",
      f: "x y z",
      ф: "€",
    });
  });

  it.each(["a=1&a=2", "__proto__=1", Array.from({ length: 101 }, (_, i) => `p${String(i)}=1`).join("&")])(
    "refuses %s",
    (text) => {
      expect(errorsOf(() => parseQuery(text))).toEqual([
        expect.objectContaining({ message: expect.any(String) as string }),
      ]);
    },
  );

  it("refuses broken encoding", () => {
    expect(() => parseQuery("a=%f")).toThrow("percent-encoded");
  });
});

describe("doors", () => {
  const get = (path: string): RestBinding => ({ method: "GET", path });

  it("are refused at start when two share a method and a path, whatever their parameters are called", () => {
    expect(() => doorsOf([made([get("/t/:id")]), made([get("/t/:id")], { name: "t.other" })])).toThrow(
      /t\.do and t\.other/,
    );
    const other = made([get("/t/:key")], { name: "t.other", params: strictObject({ key: Type.String() }) });
    expect(() => doorsOf([made([get("/t/:id")]), other])).toThrow("Two actions share");
    expect(doorsOf([made([get("/t/:id"), { method: "DELETE", path: "/t/:id" }])])).toHaveLength(2);
  });

  it.each<[string, RestBinding, object]>([
    ["a path parameter that the contract lacks", get("/t/:nothing"), {}],
    ["a fixed parameter that the contract lacks", { ...get("/t"), fixed: { nothing: 1 } }, {}],
    ["a path with a pattern", get("/t/*all"), {}],
    ["a slash at the end", get("/t/"), {}],
    ["an internal action", get("/t"), { permission: "internal" }],
    ["a command behind GET", get("/t"), { kind: "command" }],
    ["a body that is a parameter which is no list", { method: "POST", path: "/t", body_array: "id" }, {}],
    ["a body that is a parameter which is not there", { method: "POST", path: "/t", body_array: "x" }, {}],
    ["a body that is a list behind GET", { method: "GET", path: "/t", body_array: "ids" }, LIST],
    [
      "a body that is a list beside another parameter",
      { method: "POST", path: "/t", body_array: "ids" },
      MORE,
    ],
    ["parameters that take unknown fields", get("/t"), { params: Type.Object({}) }],
  ])("are refused at start with %s", (_, binding, change) => {
    expect(() => doorsOf([made([binding], change)])).toThrow("cannot have the door");
  });
});
