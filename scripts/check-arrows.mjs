// Import boundaries, by dependency-cruiser; fails when it saw no modules, since then it has checked nothing.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const roots = [
  "services",
  "mixins",
  "entities",
  "seed",
  "fleet",
  "chaos",
  "examples",
  ...readdirSync(".").filter((file) => file.endsWith(".ts")),
].filter(existsSync);
let output;
try {
  output = execFileSync(
    "depcruise",
    ["--config", ".dependency-cruiser.cjs", "--output-type", "json", ...roots],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    },
  );
} catch (error) {
  output = error.stdout;
  if (!output) throw error;
}
const { summary } = JSON.parse(output);
for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`);
console.log(`${summary.totalCruised} modules, ${summary.violations.length} violations`);
if (summary.totalCruised < 40) {
  console.error("Too few modules: the check did not see the project.");
  process.exit(1);
}
process.exit(summary.violations.length > 0 ? 1 : 0);
