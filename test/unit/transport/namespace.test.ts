import { brokerOptions } from "../../../moleculer.config";
import { loadSettings } from "../../../settings";

describe("the namespace of a node", () => {
  const namespace = (env: Record<string, string>) => brokerOptions(loadSettings(env)).namespace;
  const DATABASE_URL = "postgres://somewhere/forno";

  it("is NAMESPACE where the database is shared, so that nodes find each other", () => {
    expect(namespace({ DATABASE_URL, NAMESPACE: "chain" })).toBe("chain");
  });

  it("is its own where the database is: nodes with different databases must not do each other's work", () => {
    const [one, other] = [namespace({ DATA_DIR: "/data/a" }), namespace({ DATA_DIR: "/data/b" })];
    expect(one).toMatch(/^forno-[0-9a-f]{12}$/);
    expect(other).not.toBe(one);
  });
});
