import { Type, type Static } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  AfterParam,
  LocalDate,
  Minor,
  PositionSchema,
  SettableMinor,
  Timestamp,
  Uuid,
  pageOf,
  strictObject,
} from "../../mixins/contract/schemas";
import type { OrderDraft, OrderPlaced } from "../order/order.events";
import type { SlotShare } from "./slot.events";

/** Name of a slot as in the path; what does not read as one is `slot.unknown`, not a malformed request. */
const SlotId = Type.String({
  minLength: 1,
  maxLength: 100,
  description: "<branch_id>_<start as YYYYMMDDTHHMMZ>",
});
const Plan = Type.Union([Type.Integer({ minimum: 0, maximum: 100_000 }), Type.Null()], {
  description: "Planned number of orders; null: no plan",
});
const BranchParam = { branch_id: Type.Optional(Uuid) };

const slotFields = {
  slot_id: Type.String(),
  branch_id: Uuid,
  start: Timestamp,
  end: Timestamp,
  capacity_minor: Minor,
  load_minor: Minor,
  orders_count: Type.Integer({ minimum: 0, description: "Orders that start in this slot" }),
  delivery_count: Type.Integer({ minimum: 0 }),
  pickup_count: Type.Integer({ minimum: 0 }),
  delivery_plan: Plan,
  pickup_plan: Plan,
  disabled: Type.Boolean(),
};

export const SlotSchema = strictObject(slotFields);

/**
 * Gives an order its slot and founds its stream, in one append. Needs `ctx.meta.command`. The answer is the placed order
 * and the position of its event.
 * Refusals: `slot.full` (data `next_free`: up to three starts that would do, the nearest before the wish, or else the next
 * beyond the preorder hours), `slot.order_too_large`,
 * `slot.branch_closed`, `order.time_too_far` (a wish beyond the branch's preorder hours), `slot.already_booked` (the same order
 * under another command id), `branch.unknown`.
 */
export const placeInSlot = contract({
  name: "slot.place",
  summary: "Give an order its slot and found its stream",
  kind: "command",
  permission: "internal",
  params: strictObject({ draft: Type.Unsafe<OrderDraft>(Type.Object({})) }),
  result: Type.Unsafe<{ placed: OrderPlaced["data"]; position: number }>(Type.Object({})),
  refusals: [
    "slot.full",
    "slot.order_too_large",
    "slot.branch_closed",
    "order.time_too_far",
    "slot.already_booked",
    "branch.unknown",
  ],
});

/**
 * Gives back what an order holds. `business_date` is that of its placement. Refusals: `slot.already_released`,
 * `slot.not_booked`; to a process manager both mean that nothing is left to do.
 */
export const releaseSlot = contract({
  name: "slot.release",
  summary: "Give back the capacity that an order holds",
  kind: "command",
  permission: "internal",
  params: strictObject({ order_id: Uuid, branch_id: Uuid, business_date: LocalDate }),
  result: Type.Unsafe<{ shares: readonly SlotShare[]; position: number }>(Type.Object({})),
  refusals: ["slot.already_released", "slot.not_booked", "branch.unknown"],
});

const Moment = Type.Union([LocalDate, Timestamp], { description: "Business date or instant" });

/**
 * The slot board of a branch: the slots that its rules offer, with what is booked and set, and older bookings that no
 * longer fit the slots' length. Dates name business days (both included), instants bound the starts (`to` excluded).
 */
export const listSlots = contract({
  name: "slot.list",
  summary: "Slots of a branch, today's unless said otherwise, at most 8 days",
  kind: "query",
  permission: "slot.read",
  params: strictObject({
    ...BranchParam,
    from: Type.Optional(Moment),
    to: Type.Optional(Moment),
    ...AfterParam,
  }),
  result: pageOf(SlotSchema),
  rest: [{ method: "GET", path: "/api/v1/erp/slots" }],
  refusals: ["branch.unknown", "slot.bad_range", "branch.not_yours"],
});

/** Times that a customer may wish for, within the branch's lead time and preorder hours. */
export const freeSlots = contract({
  name: "slot.free",
  summary: "Next free slots of a branch",
  kind: "query",
  permission: "public",
  params: strictObject({
    ...BranchParam,
    from: Type.Optional(Timestamp),
    amount_minor: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "Only slots with room for so much, by the menu's prices: before sales and discounts",
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
    ...AfterParam,
  }),
  result: strictObject({
    branch_id: Uuid,
    items: Type.Array(strictObject({ slot_id: Type.String(), start: Timestamp, end: Timestamp })),
  }),
  rest: [{ method: "GET", path: "/api/v1/slots" }],
  refusals: ["branch.unknown", "slot.bad_range"],
});

const changed = strictObject({ ...slotFields, position: PositionSchema });
const changeRefusals = ["slot.unknown", "slot.past", "branch.not_yours"];

export const setSlotDisabled = contract({
  name: "slot.set_disabled",
  summary: "Take a slot out of sale, or put it back; placed orders stay",
  kind: "command",
  permission: "slot.configure",
  params: strictObject({ slot_id: SlotId, disabled: Type.Boolean() }),
  result: changed,
  rest: [{ method: "PUT", path: "/api/v1/erp/slots/:slot_id/disabled" }],
  refusals: changeRefusals,
});

export const setSlotCapacity = contract({
  name: "slot.set_capacity",
  summary: "Give one slot its own capacity (null: the branch's); placed orders stay",
  kind: "command",
  permission: "slot.configure",
  params: strictObject({ slot_id: SlotId, capacity_minor: Type.Union([SettableMinor, Type.Null()]) }),
  result: changed,
  rest: [{ method: "PUT", path: "/api/v1/erp/slots/:slot_id/capacity" }],
  refusals: changeRefusals,
});

const planFields = {
  slot_id: SlotId,
  delivery_plan: Type.Optional(Plan),
  pickup_plan: Type.Optional(Plan),
};

export const setSlotPlan = contract({
  name: "slot.set_plan",
  summary: "Plan a slot's numbers of orders; what is not named stays",
  kind: "command",
  permission: "slot.configure",
  params: strictObject(planFields),
  result: changed,
  rest: [{ method: "PUT", path: "/api/v1/erp/slots/:slot_id/plan" }],
  refusals: changeRefusals,
});

/** All or none; all slots belong to one branch and one business day. */
export const setSlotPlans = contract({
  name: "slot.set_plans",
  summary: "Plan many slots of one day at once",
  kind: "command",
  permission: "slot.configure",
  // The longest day has 25 hours of 5-minute slots.
  params: strictObject({ plans: Type.Array(strictObject(planFields), { minItems: 1, maxItems: 300 }) }),
  result: strictObject({ items: Type.Array(SlotSchema), position: PositionSchema }),
  rest: [{ method: "PUT", path: "/api/v1/erp/slots/plan/batch" }],
  refusals: [...changeRefusals, "slot.plan_spans_days", "slot.planned_twice"],
});

/** `low`: under 50 %, `medium`: 50 to under 80 %, `high`: 80 % and more. */
const Band = Type.Union([Type.Literal("low"), Type.Literal("medium"), Type.Literal("high")]);
const LoadFields = {
  load_percent: Type.Integer({ minimum: 0, description: "Load against the capacity in sale, rounded down" }),
  band: Band,
};
export const LoadWindow = Type.Union(
  [Type.Literal("current"), Type.Literal("next"), Type.Literal("operational"), Type.Literal("shift")],
  { description: "The running slot, the one after it, the next hour, or the whole business day" },
);

export const kitchenLoad = contract({
  name: "slot.kitchen_load",
  summary: "How full the kitchen is",
  kind: "query",
  permission: "slot.read",
  params: strictObject({
    ...BranchParam,
    window: Type.Optional(Type.Unsafe<Static<typeof LoadWindow>>({ ...LoadWindow, default: "current" })),
    ...AfterParam,
  }),
  result: strictObject({
    branch_id: Uuid,
    window: LoadWindow,
    /** Null where the window holds no slot, such as `current` while the branch is closed. */
    start: Type.Union([Timestamp, Type.Null()]),
    end: Type.Union([Timestamp, Type.Null()]),
    capacity_minor: Minor,
    load_minor: Minor,
    ...LoadFields,
    orders_count: Type.Integer({ minimum: 0 }),
    delivery_count: Type.Integer({ minimum: 0 }),
    pickup_count: Type.Integer({ minimum: 0 }),
    slots: Type.Array(strictObject({ ...slotFields, ...LoadFields })),
  }),
  rest: [{ method: "GET", path: "/api/v1/erp/kitchen-load" }],
  refusals: ["branch.unknown", "branch.not_yours"],
});

export const slotContracts = [
  placeInSlot,
  releaseSlot,
  listSlots,
  freeSlots,
  setSlotDisabled,
  setSlotCapacity,
  setSlotPlan,
  setSlotPlans,
  kitchenLoad,
] as const;
