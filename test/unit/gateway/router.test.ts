import { match } from "path-to-regexp";
import { doorsOf } from "../../../services/gateway/http/door";
import { Router, type Routable } from "../../../services/gateway/http/router";
import { CONTRACTS } from "../../support/contracts";

const alias = (method: string, fullPath: string): Routable => {
  const matching = match(fullPath);
  return {
    method,
    fullPath,
    match: (path) => {
      const found = matching(path);
      return found === false ? false : found.params;
    },
  };
};

describe("the router", () => {
  const router = new Router([
    alias("GET", "/a/:x/:y"),
    alias("GET", "/a/:x/end"),
    alias("GET", "/a/b/:y"),
    alias("GET", "/a/:id"),
    alias("PUT", "/a/:other"),
    alias("GET", "/a/mine"),
  ]);
  const found = (method: string, path: string): string | undefined =>
    router.find(method, path)?.alias.fullPath;

  it("prefers what is static, from left to right", () => {
    expect(found("GET", "/a/mine")).toBe("/a/mine");
    expect(found("GET", "/a/7")).toBe("/a/:id");
    expect(found("GET", "/a/b/end")).toBe("/a/b/:y");
    expect(found("GET", "/a/c/end")).toBe("/a/:x/end");
    expect(found("GET", "/a/c/d")).toBe("/a/:x/:y");
  });

  it("gives the path's parameters", () => {
    expect(router.find("GET", "/a/c/d")?.params).toEqual({ x: "c", y: "d" });
  });

  it("knows which methods a path takes", () => {
    expect(found("PUT", "/a/7")).toBe("/a/:other");
    expect(router.find("PUT", "/a/7")?.params).toEqual({ other: "7" });
    expect(router.methodsAt("/a/7")).toEqual(["GET", "PUT"]);
    expect(router.methodsAt("/a/b/c/d")).toEqual([]);
    expect(router.methodsAt("/b")).toEqual([]);
    expect(found("DELETE", "/a/7")).toBeUndefined();
  });

  it("takes what is static for no parameter, whatever the method", () => {
    expect(found("PUT", "/a/mine")).toBeUndefined();
    expect(router.methodsAt("/a/mine")).toEqual(["GET"]);
    const two = new Router([alias("PUT", "/a/:x/:y"), alias("GET", "/a/:x/end")]);
    expect(two.find("PUT", "/a/7/end")).toBeUndefined();
    expect(two.methodsAt("/a/7/end")).toEqual(["GET"]);
    expect(two.find("PUT", "/a/7/8")?.alias.fullPath).toBe("/a/:x/:y");
  });
});

describe("the router over every door of Forno", () => {
  const doors = doorsOf(CONTRACTS).map(({ binding }) => alias(binding.method, binding.path));
  const router = new Router(doors);
  const fixed = [...new Set(doors.map(({ fullPath }) => fullPath).filter((path) => !path.includes(":")))];
  const shadowing = (path: string): Routable[] =>
    doors.filter((door) => door.fullPath.includes(":") && door.match(path) !== false);

  it("has paths that parameters would match", () => {
    expect(fixed.filter((path) => shadowing(path).length > 0).length).toBeGreaterThan(5);
  });

  it.each(fixed)("leaves no method of %s to a parameter", (path) => {
    const own = doors.filter(({ fullPath }) => fullPath === path).map(({ method }) => method);
    expect(router.methodsAt(path)).toEqual([...own].sort());
    for (const { method } of shadowing(path))
      expect(router.find(method, path)?.alias.fullPath).toBe(own.includes(method) ? path : undefined);
  });
});
