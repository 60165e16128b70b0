import type { ServiceSchema } from "moleculer";
import { actorMixin } from "../../mixins/actor/actor-mixin";
import type { Ctx } from "../../mixins/contract/caller";
import { act, callerOf, implement, implementCommand } from "../../mixins/contract/implement";
import { orThrow, RefusedError, UnavailableError } from "../../mixins/contract/refusal";
import { untilCaughtUp } from "../../mixins/health/catching-up";
import type { ProjectionHost } from "../../mixins/projection/projection";
import { startProjection } from "../../mixins/projection/start-projection";
import type { Runtime } from "../../mixins/runtime";
import { getBranch } from "../branch/branch.contract";
import type { Branch } from "../branch/branch.events";
import { listTotalOf, type OrderPlaced } from "../order/order.events";
import { branchMeant, maySee, notYours } from "./slot.access";
import { createKitchenDays, type KitchenDays } from "./slot.actors";
import { SlotCalendar } from "./slot.calendar";
import {
  freeSlots,
  kitchenLoad,
  listSlots,
  placeInSlot,
  releaseSlot,
  setSlotCapacity,
  setSlotDisabled,
  setSlotPlan,
  setSlotPlans,
} from "./slot.contract";
import { SlotDesk } from "./slot.desk";
import type { SlotShare, SlotView } from "./slot.events";
import { slotProjection } from "./slot.projection";
import { instantOf, rangeOf } from "./slot.range";
import { SlotReads } from "./slot.reads";
import { tryDays } from "./slot.tries";

/** Slots: promises times by the kitchen's capacity, and shows how full it is. */
export function createSlotService(runtime: Runtime): ServiceSchema {
  const { log, feed, clock, pool, broker } = runtime;
  const calendar = new SlotCalendar();
  const days = createKitchenDays(runtime, calendar);
  const reads = new SlotReads(pool, calendar);
  let projection: ProjectionHost | undefined;

  /** Reads wait until they see what their caller has already been told. */
  const caughtUp = async (after: number | undefined): Promise<void> => {
    if (after === undefined) return;
    if (projection === undefined)
      throw new UnavailableError("slot.starting", "Slots are not ready yet; try again.");
    await projection.reached(after);
  };

  return {
    name: "slot",
    version: 1,
    settings: { $noVersionPrefix: true },
    mixins: [actorMixin(days.host)],
    /** Ready means: the board knows everything that the log held when this node came up. */
    async started() {
      projection = await startProjection(
        { pool, feed, log, logger: broker.getLogger("slot") },
        slotProjection,
      );
      await untilCaughtUp(runtime, projection.name, projection);
    },
    async stopped() {
      await projection?.stop();
    },
    actions: {
      ...orderActions(runtime, calendar, days, reads),
      list: implement(listSlots, async (ctx) => {
        const branch = await branchOfStaff(ctx);
        const range = orThrow(rangeOf(calendar, branch, ctx.params, clock.now()));
        await caughtUp(ctx.params.after);
        return { items: await reads.list(branch, range), next_cursor: null };
      }),
      free: implement(freeSlots, async (ctx) => {
        const { branch_id, from, amount_minor = 0, limit = 20, after } = ctx.params;
        const now_ms = clock.now();
        const from_ms = from === undefined ? now_ms : orThrow(instantOf(from));
        const branch = await act(ctx, getBranch, branch_id === undefined ? {} : { branch_id });
        await caughtUp(after);
        const wish = { amount_minor, from_ms, limit };
        return { branch_id: branch.branch_id, items: await reads.freeNow(branch, wish, now_ms) };
      }),
      kitchen_load: implement(kitchenLoad, async (ctx) => {
        const branch = await branchOfStaff(ctx);
        const { window = "current", after } = ctx.params;
        await caughtUp(after);
        return { branch_id: branch.branch_id, window, ...(await reads.load(branch, window, clock.now())) };
      }),
      ...deskActions(runtime, new SlotDesk(days, calendar, clock)),
      tell_day: days.tellDay,
    },
  };
}

/** What the order room asks for. */
function orderActions(
  { log, clock }: Runtime,
  calendar: SlotCalendar,
  days: KitchenDays,
  reads: SlotReads,
): NonNullable<ServiceSchema["actions"]> {
  return {
    place: implementCommand(log, placeInSlot, {
      async run(ctx) {
        const { draft } = ctx.params;
        const branch = await act(ctx, getBranch, { branch_id: draft.branch_id });
        const now_ms = clock.now();
        return tryDays(calendar, branch, draft, now_ms, {
          ask: (date) => days.tell(ctx, branch.branch_id, date, { type: "slot.place", draft, now_ms }),
          offers: (wish_ms, offered) =>
            reads.offers(branch, listTotalOf(draft.items), wish_ms, offered, now_ms),
        });
      },
      respond: (answer, position) => ({ placed: answer as OrderPlaced["data"], position }),
    }),
    release: implementCommand(log, releaseSlot, {
      run(ctx) {
        const { order_id, branch_id, business_date } = ctx.params;
        return days.tell(ctx, branch_id, business_date, { type: "slot.release", order_id });
      },
      respond: (answer, position) => ({ ...(answer as { shares: SlotShare[] }), position }),
    }),
  };
}

/** What the shift leader sets on single slots. */
function deskActions({ log }: Runtime, desk: SlotDesk): ServiceSchema["actions"] {
  const slots = (answer: unknown): SlotView[] => (answer as { slots: SlotView[] }).slots;
  const one = (answer: unknown, position: number): SlotView & { position: number } => {
    const [slot] = slots(answer);
    if (slot === undefined) throw new Error("a change of one slot answers with that slot");
    return { ...slot, position };
  };
  return {
    set_disabled: implementCommand(log, setSlotDisabled, {
      run: (ctx) => {
        const { slot_id, disabled } = ctx.params;
        const type = "slot.set_disabled";
        return desk.change(ctx, slot_id, (start_ms, now_ms) => ({ type, start_ms, disabled, now_ms }));
      },
      respond: one,
    }),
    set_capacity: implementCommand(log, setSlotCapacity, {
      run: (ctx) => {
        const { slot_id, capacity_minor } = ctx.params;
        const type = "slot.set_capacity";
        return desk.change(ctx, slot_id, (start_ms, now_ms) => ({ type, start_ms, capacity_minor, now_ms }));
      },
      respond: one,
    }),
    set_plan: implementCommand(log, setSlotPlan, {
      run: (ctx) => desk.plan(ctx, [ctx.params]),
      respond: one,
    }),
    set_plans: implementCommand(log, setSlotPlans, {
      run: (ctx) => desk.plan(ctx, ctx.params.plans),
      respond: (answer, position) => ({ items: slots(answer), position }),
    }),
  };
}

/** The branch that a member of staff asks about. @throws RefusedError `branch.not_yours`, `branch.unknown` */
async function branchOfStaff(ctx: Ctx<{ branch_id?: string }>): Promise<Branch> {
  const caller = callerOf(ctx);
  const branch_id = branchMeant(caller, ctx.params.branch_id);
  const branch = await act(ctx, getBranch, branch_id === undefined ? {} : { branch_id });
  if (!maySee(caller, branch.branch_id)) throw new RefusedError(notYours());
  return branch;
}
