import type { CampaignReport } from "../../chaos/campaign";
import { operationFigures } from "../../chaos/report";
import type { SabotageName } from "../../chaos/sabotages/all-sabotages";
import { round, undiscovered } from "../../chaos/sabotages/rounds";

/** Found by promises of their own, so that one fleet can have them all. */
const AT_ONCE: readonly SabotageName[] = [
  ...(["unannounced-slots", "wrong-mirror", "ignored-menus", "unfenced-checkpoint"] as const),
];
const options = { seed: 11, customers: 8, say: () => undefined, load_ms_min: 9_000 };
const faults = ["contest-checkpoint"] as const;

const promises = ({ violations }: CampaignReport): string[] => [
  ...new Set(violations.map(({ promise }) => promise)),
];

describe("the checks of chaos", () => {
  it("find nothing in the product as it is, of which they have seen all kinds of work", async () => {
    const clean = await round([], { ...options, faults });
    expect(clean.violations.slice(0, 10)).toEqual([]);
    for (const { op, counts } of operationFigures(clean.operations))
      expect({ op, none: counts.acked === 0 }).toEqual({ op, none: false });
  }, 240_000);

  it("find every sabotage, one beside the others", async () => {
    const report = await round(AT_ONCE, options);
    expect({ missed: undiscovered(AT_ONCE, report), found: promises(report) }).toMatchObject({ missed: [] });
  }, 240_000);
});
