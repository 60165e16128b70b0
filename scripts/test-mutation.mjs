// Mutation tests of the code that decides. Without arguments: of those files that differ from main's merge base; with file
// names: of those; with --all: of every one (hours).
import { execFileSync, spawnSync } from "node:child_process";
import { globSync } from "node:fs";

/** Deciders, prices, calendars, rights, and the machinery under every decision. */
const DECIDING = [
  "services/**/*.decider.ts",
  "services/menu/menu.{pricing,sale-prices,rules,offers,diff}.ts",
  "services/slot/slot.{calendar,overhang,visibility}.ts",
  "services/branch/{opening-hours,branch.rules,inn}.ts",
  "services/order/order.{states,view,prices}.ts",
  "mixins/contract/{permissions,branch-access,implement}.ts",
  "mixins/actor/{actor,answers,batch,memory,placed-actors,rendezvous}.ts",
  "mixins/event-log/{append-batcher,upcasting}.ts",
  "mixins/cache-tags/cached-action.ts",
];

const git = (...args) => execFileSync("git", args, { encoding: "utf8" }).trim();

function changed() {
  const base = process.env.MUTATION_BASE ?? git("merge-base", "HEAD", "main");
  const tracked = git("diff", "--name-only", "--diff-filter=d", base).split("\n");
  return [...tracked, ...git("ls-files", "--others", "--exclude-standard").split("\n")];
}

const args = process.argv.slice(2);
const deciding = new Set(DECIDING.flatMap((pattern) => globSync(pattern)));
const named = args.filter((arg) => !arg.startsWith("--"));
const wanted = args.includes("--all") ? [...deciding] : named.length > 0 ? named : changed();
const files = wanted.filter((file) => named.length > 0 || deciding.has(file));
if (files.length === 0) {
  console.log("No file that decides has changed; name files, or say --all.");
  process.exit(0);
}
console.log(`Mutants of ${files.join(", ")}`);
const { status } = spawnSync("stryker", ["run", "--mutate", files.join(",")], { stdio: "inherit" });
process.exit(status ?? 1);
