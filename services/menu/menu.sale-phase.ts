import type { FlashSale, FlashSaleEnded, FlashSaleStarted } from "./menu.events";

/**
 * What the log was told of a sale last.
 *
 *     planned ─▶ running ⇄ exhausted
 *        ▲          │          │
 *        └──────────┴─▶ ended ◀┘        and back, but only when its times are changed
 *
 * *exhausted*: in its time, but all units are sold; those that a cancelled order gives back are sold again.
 */
export type SalePhase = "planned" | "running" | "exhausted" | "ended";

/** A sale with what decides its phase. */
export interface PhasedSale {
  readonly sale: FlashSale;
  readonly phase: SalePhase;
  /** Units left to sell; infinite without a limit. */
  readonly left: number;
}

/** Units of an offer that are left; never below zero, also where its limit was lowered below what is sold. */
export const unitsLeft = (limit: number | null, used: number): number =>
  limit === null ? Infinity : Math.max(0, limit - used);

/** One step from phase to phase, and what the log is to be told of it, if anything. */
export interface PhaseStep {
  readonly phase: SalePhase;
  readonly event: FlashSaleStarted | FlashSaleEnded | undefined;
  /** When it was due, milliseconds since the epoch. */
  readonly due_ms: number;
}

/**
 * All steps that a sale is behind at a moment, in order: after a long silence it may have to start and to end. Time goes
 * forward only: a clock that is behind another, or was set back, takes back nothing that was said.
 */
export function dueSteps(from: PhasedSale, now_ms: number): PhaseStep[] {
  return stepsWith(nextStep, from, now_ms);
}

/** What the log is to be told of a sale whose terms are changed at a moment, and the phase that it is in then. */
export function announcement(
  from: PhasedSale,
  now_ms: number,
): { readonly phase: SalePhase; readonly events: readonly (FlashSaleStarted | FlashSaleEnded)[] } {
  const steps = stepsWith(stepAfterChange, from, now_ms);
  return { phase: steps.at(-1)?.phase ?? from.phase, events: steps.flatMap(({ event }) => event ?? []) };
}

type Next = (sale: PhasedSale, now_ms: number) => PhaseStep | undefined;

function stepsWith(next: Next, from: PhasedSale, now_ms: number): PhaseStep[] {
  const steps: PhaseStep[] = [];
  // A sale comes to rest after three steps at most.
  for (let step = next(from, now_ms); step !== undefined;) {
    steps.push(step);
    step = next({ ...from, phase: step.phase }, now_ms);
  }
  return steps;
}

/** Milliseconds until time alone changes something; infinite when it never will. */
export function nextEdgeIn({ sale, phase }: PhasedSale, now_ms: number): number {
  const edges = [Date.parse(sale.starts_at), ...(phase === "ended" ? [] : [Date.parse(sale.ends_at)])];
  return Math.min(...edges.filter((edge_ms) => edge_ms > now_ms).map((edge_ms) => edge_ms - now_ms));
}

/** The step that time and sales lead to. */
function nextStep({ sale, phase, left }: PhasedSale, now_ms: number): PhaseStep | undefined {
  const starts_ms = Date.parse(sale.starts_at);
  const ends_ms = Date.parse(sale.ends_at);
  const over = now_ms >= ends_ms;
  switch (phase) {
    case "planned":
      if (now_ms < starts_ms) return undefined;
      return left > 0 ? start(sale, "time", starts_ms) : silently("exhausted", now_ms);
    case "running":
      if (over) return end(sale, "ended", "time", ends_ms);
      return left > 0 ? undefined : end(sale, "exhausted", "exhausted", now_ms);
    case "exhausted":
      if (over) return silently("ended", now_ms);
      return left > 0 ? start(sale, "returned", now_ms) : undefined;
    case "ended":
      return undefined;
  }
}

/** The step that new terms lead to: times that were put off, or what time and sales make of them. */
function stepAfterChange(from: PhasedSale, now_ms: number): PhaseStep | undefined {
  const { sale, phase, left } = from;
  if (phase !== "planned" && now_ms < Date.parse(sale.starts_at))
    return phase === "running" ? end(sale, "planned", "changed", now_ms) : silently("planned", now_ms);
  if (phase === "ended" && now_ms < Date.parse(sale.ends_at))
    return left > 0 ? start(sale, "changed", now_ms) : silently("exhausted", now_ms);
  return nextStep(from, now_ms);
}

type StartReason = FlashSaleStarted["data"]["reason"];
type EndReason = FlashSaleEnded["data"]["reason"];

const silently = (phase: SalePhase, due_ms: number): PhaseStep => ({ phase, event: undefined, due_ms });

const start = (sale: FlashSale, reason: StartReason, due_ms: number): PhaseStep => ({
  phase: "running",
  event: {
    type: "flash_sale.started",
    data: { sale_id: sale.sale_id, sale, reason, at: new Date(due_ms).toISOString() },
  },
  due_ms,
});

const end = (sale: FlashSale, phase: SalePhase, reason: EndReason, due_ms: number): PhaseStep => ({
  ...{ phase, event: ended(sale, reason, due_ms), due_ms },
});

/** The prices of a sale are in force no longer. */
export const ended = (
  { sale_id, item_ids }: FlashSale,
  reason: EndReason,
  at_ms: number,
): FlashSaleEnded => ({
  type: "flash_sale.ended",
  data: { sale_id, item_ids, reason, at: new Date(at_ms).toISOString() },
});
