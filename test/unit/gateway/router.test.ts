import { match } from "path-to-regexp";
import { Router, type Routable } from "../../../services/gateway/http/router";

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
    alias("PUT", "/a/:id"),
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

  it("knows which methods a path takes, through all its doors", () => {
    expect(found("PUT", "/a/mine")).toBe("/a/:id");
    expect(router.methodsAt("/a/mine")).toEqual(["GET", "PUT"]);
    expect(router.methodsAt("/a/b/c/d")).toEqual([]);
    expect(router.methodsAt("/b")).toEqual([]);
    expect(found("DELETE", "/a/mine")).toBeUndefined();
  });
});
