import { Random } from "../../../chaos/random";
import { faultsNamed, FAULT_NAMES, scheduleOf, type Strike } from "../../../chaos/schedule";

function first(seed: number, count: number): Strike[] {
  const schedule = scheduleOf(new Random(seed), FAULT_NAMES, 3);
  return Array.from({ length: count }, () => schedule.next().value);
}

it("gives the same faults for the same seed, and others for another", () => {
  expect(first(7, 40)).toEqual(first(7, 40));
  expect(first(7, 40)).not.toEqual(first(8, 40));
});

it("strikes with every fault before it strikes with one again", () => {
  const faults = first(3, 2 * FAULT_NAMES.length).map(({ fault }) => fault);
  expect(new Set(faults.slice(0, FAULT_NAMES.length)).size).toBe(FAULT_NAMES.length);
  expect(new Set(faults.slice(FAULT_NAMES.length)).size).toBe(FAULT_NAMES.length);
});

it("reads the names of faults and says which is none", () => {
  expect(faultsNamed("kill-node, partition")).toEqual(["kill-node", "partition"]);
  expect(() => faultsNamed("kill-node,earthquake")).toThrow("earthquake is no fault");
});

describe("numbers from a seed", () => {
  it("do not depend on what a fork draws", () => {
    const [one, other] = [new Random(1), new Random(1)];
    one.fork("somebody").next();
    expect(one.next()).toBe(other.next());
    expect(new Random(1).fork("a").next()).not.toBe(new Random(1).fork("b").next());
  });

  it("stay within their bounds and meet all of them", () => {
    const random = new Random(5);
    const drawn = Array.from({ length: 1_000 }, () => random.between(1, 3));
    expect(new Set(drawn)).toEqual(new Set([1, 2, 3]));
    expect(new Random(5).shuffled([1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4]);
    expect(() => random.pick([])).toThrow(RangeError);
  });
});
