import { execFileSync } from "node:child_process";
import path from "node:path";

/** Whole-system tests run what a user runs: the compiled Forno. */
export default function build(): void {
  execFileSync(process.execPath, [path.resolve(__dirname, "../../scripts/build.mjs"), "--if-stale"], {
    stdio: "inherit",
  });
}
