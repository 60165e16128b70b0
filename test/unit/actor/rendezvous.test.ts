import fc from "fast-check";
import { ranked } from "../../../mixins/actor/rendezvous";

const nodes = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 8 });
const keys = fc.array(fc.string(), { minLength: 1, maxLength: 50 });

describe("where a key belongs", () => {
  it("is the same whoever asks, in whatever order the nodes are known", () => {
    fc.assert(
      fc.property(nodes, fc.string(), (all, key) => {
        expect(ranked(key, [...all].reverse())).toEqual(ranked(key, all));
        expect([...ranked(key, all)].sort()).toEqual([...all].sort());
      }),
    );
  });

  it("changes for the keys of a node that leaves, and for no other", () => {
    fc.assert(
      fc.property(nodes, keys, (all, some) => {
        const [gone, ...left] = all;
        for (const key of some)
          expect(ranked(key, left)).toEqual(ranked(key, all).filter((node) => node !== gone));
      }),
    );
  });

  it("gives each node about its share, also when names and keys differ in a digit only", () => {
    const all = ["forno-1", "forno-2", "forno-3"];
    const owned = new Map(all.map((node) => [node, 0]));
    for (let day = 0; day < 3_000; day++) {
      const [owner = ""] = ranked(`slots-0198c1f2-7b6a-7c44-9d3e-5f60718293a4-${String(day)}`, all);
      owned.set(owner, (owned.get(owner) ?? 0) + 1);
    }
    for (const count of owned.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  // Nodes of two versions must agree while one replaces the other: a changed hash would give each actor two owners unseen.
  it.each([
    ["order-0198c1f2-7b6a-7c44-9d3e-5f60718293a4", ["forno-2", "forno-1", "кухня", "forno-3"]],
    ["slots-0198c1f2-7b6a-7c44-9d3e-5f60718293a4-2026-03-02", ["forno-2", "forno-3", "forno-1", "кухня"]],
    ["branch-0198c1f2-7b6a-7c44-9d3e-5f60718293a4", ["forno-1", "forno-3", "кухня", "forno-2"]],
    ["quota-пицца", ["forno-2", "forno-1", "forno-3", "кухня"]],
    ["", ["forno-3", "кухня", "forno-2", "forno-1"]],
  ])("is, for %j, for ever where it is today", (key, nodes) => {
    expect(ranked(key, ["forno-1", "forno-2", "forno-3", "кухня"])).toEqual(nodes);
  });

  it("is settled by name between nodes of the same weight", () => {
    expect(ranked("any", ["same", "same"])).toEqual(["same", "same"]);
  });

  it("knows no node where there is none", () => {
    expect(ranked("slots-x", [])).toEqual([]);
  });
});
