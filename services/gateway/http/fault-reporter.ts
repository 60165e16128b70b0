import type { ServiceBroker } from "moleculer";
import type { Clock } from "../../../mixins/runtime";
import { pathOf } from "./door-params";
import { exchangeOf, type Request } from "./exchange";
import type { Problem } from "./problem";

/** A dependency that is down fails every request; one line a second and code says it as well as ten thousand. */
const FAULT_PAUSE_MS = 1_000;

/** Logs what clients are not told: every defect with its stack, faults by code and seldom. Paths only: queries may hold secrets. */
export function faultReporter(
  logger: ServiceBroker["logger"],
  clock: Clock,
): (req: Request, problem: Problem, error: unknown) => void {
  const quietUntil = new Map<string, number>();
  return (req, problem, error) => {
    const what = `${req.method ?? ""} ${pathOf(req.url ?? "")} (request ${exchangeOf(req).request_id})`;
    if (problem.kind === "defect") {
      logger.error(`Defect in ${what}:`, error);
      return;
    }
    const { code } = problem.document;
    if (clock.now() < (quietUntil.get(code) ?? 0)) return;
    quietUntil.set(code, clock.now() + FAULT_PAUSE_MS);
    logger.warn(`Fault ${code} in ${what}:`, error);
  };
}
