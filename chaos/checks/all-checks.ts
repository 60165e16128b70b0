import { capacity } from "./capacity";
import { effects } from "./effects";
import type { Check, Evidence, Violation } from "./evidence";
import { logOrder } from "./log-order";
import { orders } from "./orders";
import { quotas } from "./quotas";
import { readModels } from "./read-models";
import { cachedReads, reads } from "./reads";
import { sockets } from "./sockets";

const CHECKS: readonly Check[] = [
  logOrder,
  orders,
  effects,
  capacity,
  quotas,
  readModels,
  sockets,
  reads,
  cachedReads,
];

/** Every promise that was broken. */
export function violationsIn(evidence: Evidence): Violation[] {
  return CHECKS.flatMap((check) => check(evidence));
}
