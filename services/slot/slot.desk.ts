import type { Ctx } from "../../mixins/contract/caller";
import { act, callerOf, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, refusalOf, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { Clock } from "../../mixins/runtime";
import { getBranch } from "../branch/branch.contract";
import type { Branch } from "../branch/branch.events";
import { maySee, notYours } from "./slot.access";
import type { KitchenDays } from "./slot.actors";
import type { SlotCalendar } from "./slot.calendar";
import type { SlotCommand, SlotPlan } from "./slot.commands";
import { parseSlotId } from "./slot.id";
import { unknownSlot } from "./slot.refusals";

/** A slot's plan as it is sent. */
export interface PlanWish {
  readonly slot_id: string;
  readonly delivery_plan?: number | null;
  readonly pickup_plan?: number | null;
}

/** A slot that somebody named. */
interface NamedSlot {
  readonly branch: Branch;
  readonly business_date: string;
  readonly start_ms: number;
}

/** The shift leader's hand on single slots: finds the kitchen-day that a slot's name means, and tells it. */
export class SlotDesk {
  constructor(
    private readonly days: Pick<KitchenDays, "tell">,
    private readonly calendar: SlotCalendar,
    private readonly clock: Clock,
  ) {}

  /** Changes one slot. Refusals: `slot.unknown`, `branch.not_yours`, and those of the command. */
  async change(
    ctx: Ctx<unknown>,
    slot_id: string,
    commandFor: (start_ms: number, now_ms: number) => SlotCommand,
  ): Promise<CommandOutcome | Refusal> {
    const slot = await this.find(ctx, slot_id);
    if (isRefusal(slot)) return slot;
    return this.days.tell(
      ctx,
      slot.branch.branch_id,
      slot.business_date,
      commandFor(slot.start_ms, this.clock.now()),
    );
  }

  /** Plans many slots of one kitchen-day. Refusals also: `slot.plan_spans_days`, `slot.planned_twice`. */
  async plan(ctx: Ctx<unknown>, wishes: readonly PlanWish[]): Promise<CommandOutcome | Refusal> {
    const plans = new Map<number, SlotPlan>();
    let day: NamedSlot | undefined;
    for (const wish of wishes) {
      const slot = await this.find(ctx, wish.slot_id);
      if (isRefusal(slot)) return slot;
      day ??= slot;
      if (slot.branch.branch_id !== day.branch.branch_id || slot.business_date !== day.business_date)
        return spansDays();
      if (plans.has(slot.start_ms)) return plannedTwice(wish.slot_id);
      plans.set(slot.start_ms, planOf(slot.start_ms, wish));
    }
    if (day === undefined) return unknownSlot();
    const command = { type: "slot.set_plan", plans: [...plans.values()], now_ms: this.clock.now() } as const;
    return this.days.tell(ctx, day.branch.branch_id, day.business_date, command);
  }

  private async find(ctx: Ctx<unknown>, slot_id: string): Promise<NamedSlot | Refusal> {
    const name = parseSlotId(slot_id);
    if (name === undefined) return unknownSlot();
    if (!maySee(callerOf(ctx), name.branch_id)) return notYours();
    const branch = await knownBranch(ctx, name.branch_id);
    if (branch === undefined) return unknownSlot();
    return {
      branch,
      business_date: this.calendar.dayAt(branch, name.start_ms).business_date,
      start_ms: name.start_ms,
    };
  }
}

async function knownBranch(ctx: Ctx<unknown>, branch_id: string): Promise<Branch | undefined> {
  try {
    return await act(ctx, getBranch, { branch_id });
  } catch (error) {
    if (refusalOf(error)?.code === "branch.unknown") return undefined;
    throw error;
  }
}

function planOf(start_ms: number, { delivery_plan, pickup_plan }: PlanWish): SlotPlan {
  return {
    start_ms,
    ...(delivery_plan === undefined ? {} : { delivery_plan }),
    ...(pickup_plan === undefined ? {} : { pickup_plan }),
  };
}

function spansDays(): Refusal {
  return refuse(
    "unprocessable",
    "slot.plan_spans_days",
    "A batch plans slots of one branch and one business day; send one batch a day.",
  );
}

function plannedTwice(slot_id: string): Refusal {
  return refuse(
    "unprocessable",
    "slot.planned_twice",
    `The batch names ${slot_id} twice; name each slot once.`,
  );
}
