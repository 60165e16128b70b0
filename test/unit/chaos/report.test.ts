import type { CampaignReport } from "../../../chaos/campaign";
import type { Outcome } from "../../../chaos/history";
import { faultFigures, operationFigures, reportLines } from "../../../chaos/report";
import { acked } from "../../support/chaos-evidence";

const struck = [
  { fault: "kill-node" as const, what: "node-1", began_ms: 1_000, ended_ms: 2_000 },
  { fault: "kill-node" as const, what: "node-2", began_ms: 9_000, ended_ms: 9_500 },
];
const during = (start_ms: number, end_ms: number, outcome: Outcome = "acked") => ({
  ...{ start_ms, end_ms, outcome },
});

it("counts the longest wait of those who waited during a fault, and the longest time in which nobody was served", () => {
  const waits = [during(0, 900), during(1_500, 4_500), during(1_500, 1_900, "refused"), during(5_000, 8_900)];
  expect(faultFigures(struck, waits)).toEqual([
    { fault: "kill-node", struck: 2, longest_wait_ms: 3_000, longest_silence_ms: 3_600 },
  ]);
});

it("counts outcomes by operation", () => {
  const placed = acked("publish", "k", {}, null);
  expect(operationFigures([placed, { ...placed, outcome: "unknown" }])).toEqual([
    { op: "publish", counts: { acked: 1, refused: 0, unknown: 1, broken: 0 } },
  ]);
});

it("says how to run a violated history again, and shows what was violated", () => {
  const report: CampaignReport = {
    ...{ seed: 42, folder: "/somewhere", struck, operations: [], events: 0 },
    ...{ socket_connections: 0, socket_messages: 0 },
    violations: [{ promise: "order.lost", detail: "order 5" }],
  };
  const text = reportLines(report).join("\n");
  expect(text).toMatch(/1 VIOLATIONS.*--seed 42.*\/somewhere/);
  expect(text).toContain("order.lost: order 5");
  expect(reportLines({ ...report, violations: [] }).at(-1)).toBe("0 violations (seed 42).");
});
