import { readdirSync } from "node:fs";
import path from "node:path";
import { SABOTAGE_NAMES, SABOTAGES, sabotagesNamed } from "../../../chaos/sabotages/all-sabotages";
import { sabotagedBy } from "../../../chaos/sabotages/environment";
import { undiscovered } from "../../../chaos/sabotages/rounds";

const PATCHES = path.join(__dirname, "../../../chaos/sabotages/patches");

it("every sabotage has its patch, and every patch is a sabotage", () => {
  const patches = readdirSync(PATCHES).map((file) => path.basename(file, ".ts"));
  expect(patches.sort()).toEqual([...SABOTAGE_NAMES].sort());
});

it("there is a sabotage for every kind of promise", () => {
  const kinds = new Set(
    Object.values(SABOTAGES).flatMap(({ found_by }) => found_by.map((promise) => promise.split(".")[0])),
  );
  expect([...kinds].sort()).toEqual([
    ...["cache", "checkpoint", "menu", "mirror", "node", "order", "price"],
    ...["quota", "read", "read_model", "slot", "socket", "stream"],
  ]);
});

it("sabotages are chosen by their names, or all", () => {
  expect(sabotagesNamed("double-refunds, dying-node")).toEqual(["double-refunds", "dying-node"]);
  expect(sabotagesNamed("all")).toEqual(SABOTAGE_NAMES);
  expect(() => sabotagesNamed("rain")).toThrow(/^rain is no sabotage/);
});

it("a node is sabotaged by what is loaded before it, and otherwise started as always", () => {
  expect(sabotagedBy(["dying-node"])).toMatchObject({ CHAOS_SABOTAGES: "dying-node" });
  expect(sabotagedBy([])).toEqual({});
});

it("a sabotage is discovered by one of its promises, not by others", () => {
  const violations = [{ promise: "order.lost", detail: "" }];
  expect(undiscovered(["unlogged-orders", "double-refunds"], { violations })).toEqual(["double-refunds"]);
});
