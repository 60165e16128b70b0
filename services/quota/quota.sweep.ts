import type { Pool } from "pg";
import type { CommandIdentity } from "../../mixins/contract/caller";
import { settle, type AnswerLog } from "../../mixins/contract/implement";
import { isRefusal, refuse } from "../../mixins/contract/refusal";
import type { Logger } from "../../mixins/logger";
import type { Clock } from "../../mixins/runtime";
import type { OrderPlaced } from "../order/order.events";
import { NOT_PLACED_REFUSAL } from "./quota.contract";

/** A hold without an order is looked into after this; requests are given up after ten seconds. */
export const LEFT_AFTER_MS = 60_000;
/** Holds that are looked into side by side. */
const PAGE = 100;

/** What a command is told that was left between taking and placing. */
const NOT_PLACED = refuse(
  "conflict",
  NOT_PLACED_REFUSAL,
  "This order was left in the middle and was not placed; order again under a new key.",
);

/** A hold whose order is not known. */
interface OpenHold {
  readonly hold_id: string;
  readonly quota_id: string;
  readonly command_id: string;
  readonly fingerprint: string;
}

export interface SweepDeps {
  readonly pool: Pool;
  readonly log: Pick<AnswerLog, "append">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Notes that the order stands. */
  confirm(quota_id: string, hold_id: string, order_id: string): Promise<unknown>;
  /** Gives back what no order will ever have. */
  giveBack(quota_id: string, hold_id: string): Promise<unknown>;
  /** Ends the run after the page in hand. */
  readonly stopping?: AbortSignal;
}

export interface SweepReport {
  readonly confirmed: number;
  readonly returned: number;
}

const OPEN = `
  select hold_id, quota_id, command_id, fingerprint from quota_holds
  where order_id is null and taken_at < $1 and hold_id > $2 order by hold_id limit ${String(PAGE)}`;

/**
 * Looks into holds whose order is not known although they were taken a while ago: their node died between taking and
 * placing, or before it could say that the order stands. The log is made to decide: a placing command that has no answer gets
 * a refusal for one, so that no late attempt can place the order any more; then the hold is given back. A command that was
 * answered with an order which has this hold keeps it.
 *
 * May stop anywhere, run twice at once and run again: each of its steps is done once, whoever takes it.
 */
export async function sweepHolds(deps: SweepDeps): Promise<SweepReport> {
  const before = new Date(deps.clock.now() - LEFT_AFTER_MS);
  const report = { confirmed: 0, returned: 0 };
  for (let last = "00000000-0000-0000-0000-000000000000"; deps.stopping?.aborted !== true;) {
    const { rows } = await deps.pool.query<OpenHold>(OPEN, [before, last]);
    const end = rows.at(-1);
    if (end === undefined) break;
    const ends = await Promise.all(rows.map((hold) => endOf(deps, hold)));
    for (const what of ends) if (what !== "left") report[what] += 1;
    last = end.hold_id;
  }
  if (report.returned > 0)
    deps.logger.info(`${String(report.returned)} holds without an order were given back`);
  return report;
}

/** What goes wrong with one hold keeps no other from its end; it comes round again. */
async function endOf(deps: SweepDeps, hold: OpenHold): Promise<keyof SweepReport | "left"> {
  const { quota_id, hold_id, command_id, fingerprint } = hold;
  try {
    const order_id = await orderWith(deps.log, hold_id, { id: command_id, fingerprint });
    if (order_id === undefined) await deps.giveBack(quota_id, hold_id);
    else await deps.confirm(quota_id, hold_id, order_id);
    return order_id === undefined ? "returned" : "confirmed";
  } catch (error) {
    deps.logger.warn(`the hold ${hold_id} of ${quota_id} is left for later: ${String(error)}`);
    return "left";
  }
}

/** The order that the command has placed with this hold; undefined: there is none, and never will be. */
async function orderWith(
  log: SweepDeps["log"],
  hold_id: string,
  placing: CommandIdentity,
): Promise<string | undefined> {
  const outcome = await settle(log, placing, NOT_PLACED);
  if (isRefusal(outcome)) return undefined;
  const { order_id, holds = [] } = outcome.answer as OrderPlaced["data"];
  return holds.some((held) => held.hold_id === hold_id) ? order_id : undefined;
}
