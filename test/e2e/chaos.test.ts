import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Campaign, type CampaignReport } from "../../chaos/campaign";
import { cacheFigures, operationFigures, reportLines } from "../../chaos/report";
import { SHORT_FAULTS } from "../../chaos/schedule";

const SEED = 20;
/** Far below what a slow machine does: it tells load from no load. */
const ACKED_MIN = 300;

describe("three nodes under load and under faults", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-chaos-"));
  let report: CampaignReport;

  beforeAll(async () => {
    report = await new Campaign({
      seed: SEED,
      folder,
      faults: SHORT_FAULTS,
      end: { rounds: 1 },
      fleet: {
        nodes: 3,
        redis: true,
        nats: true,
        anyPorts: true,
        env: { RATE_LIMIT: "off", LOG_LEVEL: "warn" },
      },
      customers: 8,
      think_ms_max: 60,
      say: () => undefined,
    }).run();
  }, 240_000);

  afterAll(() => {
    // What was violated is looked into there.
    if (report.violations.length === 0) rmSync(folder, { recursive: true, force: true });
    else console.warn(reportLines(report).join("\n"));
  });

  it("break no promise", () => {
    expect(report.violations.slice(0, 10)).toEqual([]);
  });

  it("met every fault", () => {
    expect(report.struck.map(({ fault }) => fault).sort()).toEqual([...SHORT_FAULTS].sort());
  });

  it("went on with all kinds of work, and left nobody without an answer", () => {
    const figures = operationFigures(report.operations);
    for (const { op, counts } of figures)
      expect({ op, none: counts.acked === 0 }).toEqual({ op, none: false });
    const sum = (outcome: "acked" | "unknown"): number =>
      figures.reduce((total, { counts }) => total + counts[outcome], 0);
    expect(sum("acked")).toBeGreaterThan(ACKED_MIN);
    expect(sum("unknown")).toBe(0);
    expect(report.socket_messages).toBeGreaterThan(ACKED_MIN);
    expect(cacheFigures(report.operations).hits).toBeGreaterThan(0);
  });

  it("acknowledged orders during every fault or right after it", () => {
    const placed = report.operations.filter(({ op, outcome }) => op === "place" && outcome === "acked");
    for (const { fault, began_ms, ended_ms } of report.struck) {
      const meanwhile = placed.filter(({ end_ms }) => end_ms >= began_ms && end_ms <= ended_ms + 2_000);
      expect({ fault, none: meanwhile.length === 0 }).toEqual({ fault, none: false });
    }
  });
});
