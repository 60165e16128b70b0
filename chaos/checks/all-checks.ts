import { caches } from "./caches";
import { capacity } from "./capacity";
import { checkpoints } from "./checkpoints";
import { effects } from "./effects";
import type { Check, Evidence, Violation } from "./evidence";
import { lifecycle } from "./lifecycle";
import { logOrder } from "./log-order";
import { mirrors } from "./mirrors";
import { orders } from "./orders";
import { prices } from "./prices";
import { quotas } from "./quotas";
import { readModels } from "./read-models";
import { menuReads, reads } from "./reads";
import { sockets } from "./sockets";

const CHECKS: readonly Check[] = [
  ...[logOrder, orders, lifecycle, effects, prices, capacity, quotas],
  ...[readModels, mirrors, sockets, reads, menuReads, caches, checkpoints],
];

/** Every promise that was broken. */
export function violationsIn(evidence: Evidence): Violation[] {
  return CHECKS.flatMap((check) => check(evidence));
}
