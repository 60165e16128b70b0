import type { FlashSale } from "../../../../services/menu/menu.events";
import {
  announcement,
  dueSteps,
  nextEdgeIn,
  unitsLeft,
  type SalePhase,
} from "../../../../services/menu/menu.sale-phase";
import { seedSale } from "../../../../services/menu/menu.seed-data";

const at = (ms: number): string => new Date(ms).toISOString();
/** In force from 1 000 to 2 000. */
const sale: FlashSale = { ...seedSale(0), starts_at: at(1_000), ends_at: at(2_000) };

/** `[event, reason, at]` of what is said, and the phase in the end. */
function said(phase: SalePhase, now_ms: number, left = 1, of = sale): unknown[] {
  const { events, phase: end } = announcement({ sale: of, phase, left }, now_ms);
  return [...events.map(({ type, data }) => [type, data.reason, Date.parse(data.at)]), end];
}

describe("a sale's phase", () => {
  it.each<[string, SalePhase, number, unknown[]]>([
    ["waits for its start", "planned", 999, ["planned"]],
    ["starts at its start", "planned", 1_000, [["flash_sale.started", "time", 1_000], "running"]],
    ["goes on until its end", "running", 1_999, ["running"]],
    ["ends at its end", "running", 2_000, [["flash_sale.ended", "time", 2_000], "ended"]],
    ["stays ended", "ended", 3_000, ["ended"]],
    [
      "is told from start to end after a silence, at the times when that was due",
      "planned",
      9_000,
      [["flash_sale.started", "time", 1_000], ["flash_sale.ended", "time", 2_000], "ended"],
    ],
    ["ends when its start is put off", "running", 500, [["flash_sale.ended", "changed", 500], "planned"]],
    [
      "starts again when its end is put off",
      "ended",
      1_500,
      [["flash_sale.started", "changed", 1_500], "running"],
    ],
    ["waits again when both are put off", "ended", 500, ["planned"]],
  ])("%s", (_, phase, now_ms, expected) => {
    expect(said(phase, now_ms)).toEqual(expected);
  });

  it("ends with its last unit, and starts again when one comes back", () => {
    expect(said("running", 1_500, 0)).toEqual([["flash_sale.ended", "exhausted", 1_500], "exhausted"]);
    expect(said("exhausted", 1_500, 0)).toEqual(["exhausted"]);
    expect(said("exhausted", 1_600, 1)).toEqual([["flash_sale.started", "returned", 1_600], "running"]);
  });

  it.each<[SalePhase, number, SalePhase]>([
    ["planned", 1_500, "exhausted"],
    ["ended", 1_500, "exhausted"],
    ["exhausted", 2_000, "ended"],
    ["exhausted", 500, "planned"],
    ["planned", 2_000, "ended"],
  ])("of a sale that is sold out goes from %s at %i to %s without a word", (phase, now_ms, end) => {
    expect(said(phase, now_ms, 0)).toEqual([end]);
  });

  it("is not taken back by a clock that is behind", () => {
    for (const phase of ["running", "exhausted", "ended"] as const)
      expect(dueSteps({ sale, phase, left: phase === "exhausted" ? 0 : 1 }, 500)).toEqual([]);
    expect(dueSteps({ sale, phase: "ended", left: 1 }, 1_500)).toEqual([]);
  });

  it("comes to rest, from wherever, whenever", () => {
    for (const phase of ["planned", "running", "exhausted", "ended"] as const)
      for (const now_ms of [0, 1_000, 1_500, 2_000, 5_000])
        for (const left of [0, 1]) {
          const end = announcement({ sale, phase, left }, now_ms).phase;
          expect(dueSteps({ sale, phase: end, left }, now_ms)).toEqual([]);
        }
  });
});

it("a sale's next edge is its start, then its end, then nothing", () => {
  const edge = (now_ms: number, phase: SalePhase) => nextEdgeIn({ sale, phase, left: 1 }, now_ms);
  expect([edge(0, "planned"), edge(1_000, "running"), edge(1_500, "running"), edge(2_000, "ended")]).toEqual([
    1_000,
    1_000,
    500,
    Infinity,
  ]);
});

it("units left are never below zero", () => {
  expect([unitsLeft(null, 9), unitsLeft(3, 1), unitsLeft(3, 3), unitsLeft(3, 5)]).toEqual([
    Infinity,
    2,
    0,
    0,
  ]);
});
