import { fork } from "node:child_process";
import { runLoad, type LoadPlan, type LoadReport } from "./http-load";

/** Runs a plan in a process of its own, so that the generator's work is not on the bill of the benchmark's. */
export function loadFromOutside(plan: LoadPlan): Promise<LoadReport> {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, [JSON.stringify(plan)]);
    child.once("message", (report) => {
      resolve(report as LoadReport);
    });
    child.once("exit", (code) => {
      reject(new Error(`The load generator ended with ${String(code)}.`));
    });
  });
}

if (require.main === module)
  void runLoad(JSON.parse(process.argv[2] ?? "{}") as LoadPlan).then((report) => {
    process.send?.(report, () => process.exit(0));
  });
