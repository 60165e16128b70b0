import { setTimeout as pause } from "node:timers/promises";
import { isRefusal, refuse } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import type { Logger } from "../../mixins/logger";
import { derivedCommandId } from "../../mixins/process/derived-id";
import { startLeader } from "../../mixins/process/start-leader";
import type { Runtime } from "../../mixins/runtime";
import { flashSaleStream, type FlashSale } from "./menu.events";
import * as store from "./menu.offer-store";
import { dueSteps, nextEdgeIn, unitsLeft, type PhasedSale, type PhaseStep } from "./menu.sale-phase";

/** A sale that nobody told this node of, and a clock that was set, are noticed within this. */
const LOOK_EVERY_MS = 1_000;

const NAME = "flash-sale-clock";
/** Never leaves this file: somebody else has said it, or the sale is another by now. */
const SAID = refuse("conflict", "sale.said", "Nothing to say.");

type Needs = Pick<Runtime, "log" | "pool" | "clock">;

export interface SaleClock {
  /** A sale may have been sold out, or is for sale again. */
  wake(): void;
  stop(): Promise<void>;
}

/**
 * Writes to the log when the prices of flash sales come into force and when they go, on one node of the fleet. Prices do not
 * wait for it: every node reckons them from the sales' times itself. `usedOf` says how often an offer is used.
 */
export function startSaleClock(
  needs: Needs,
  logger: Logger,
  usedOf: (offer_id: string) => number,
): SaleClock {
  let nap = new AbortController();
  const leader = startLeader(
    { pool: needs.pool, logger },
    {
      name: NAME,
      async lead(over) {
        while (!over.aborted) {
          nap = new AbortController();
          const due_in_ms = await announceDue(needs, usedOf);
          const signal = AbortSignal.any([over, nap.signal]);
          await pause(Math.min(due_in_ms, LOOK_EVERY_MS), undefined, { signal, ref: false }).catch(
            // Woken, or over.
            () => undefined,
          );
        }
      },
    },
  );
  return {
    wake() {
      nap.abort();
    },
    stop: () => leader.stop(),
  };
}

/** A step of a sale from where it stands. */
interface DueStep extends PhaseStep {
  readonly sale: FlashSale;
  readonly from: Pick<store.LoggedSale, "phase" | "version">;
}

/**
 * Says everything that is due, the earliest first, also when that was long ago. Resolves with the time until time alone makes
 * something due, in milliseconds.
 */
export async function announceDue(needs: Needs, usedOf: (offer_id: string) => number): Promise<number> {
  const now_ms = needs.clock.now();
  const sales = await store.readSalesToAnnounce(needs.pool, new Date(now_ms));
  const phased = sales.map((known) => {
    const left = unitsLeft(known.sale.limit_quantity, usedOf(known.sale.sale_id));
    return { ...known, left };
  });
  const due = phased.flatMap((sale) => stepsOf(sale, now_ms)).sort((a, b) => a.due_ms - b.due_ms);
  for (const step of due) await take(needs, step);
  return Math.min(...phased.map((sale) => nextEdgeIn(sale, now_ms)));
}

function stepsOf(known: PhasedSale & store.LoggedSale, now_ms: number): DueStep[] {
  let from: DueStep["from"] = known;
  return dueSteps(known, now_ms).map((step) => {
    const taken = { ...step, sale: known.sale, from };
    from = { phase: step.phase, version: from.version + (step.event === undefined ? 0 : 1) };
    return taken;
  });
}

/** Row and event together. A sale that is no longer as it was read is looked at again in the next round. */
async function take(needs: Needs, { sale: { sale_id }, from, phase, event }: DueStep): Promise<void> {
  if (event === undefined) {
    await store.movePhase(needs.pool, sale_id, from, { phase, events: 0 });
    return;
  }
  const identity = { id: derivedCommandId(sale_id, NAME, from.version), fingerprint: NAME };
  const outcome = await changeRows(needs, identity, async (tx) => {
    if (!(await store.movePhase(tx, sale_id, from, { phase, events: 1 }))) return SAID;
    const stream_id = flashSaleStream(sale_id);
    const expected_version = from.version;
    return {
      streams: [{ stream_id, stream_type: "flash-sale", expected_version, events: [event] }],
      answer: { phase },
      meta: { actor: `system:${NAME}` },
    };
  });
  if (isRefusal(outcome) && outcome !== SAID)
    throw new Error(`The phase of flash sale ${sale_id} was refused: ${outcome.code}`);
}
