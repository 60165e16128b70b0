import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { strictObject } from "../../mixins/contract/schemas";
import type { OrderDraft, OrderPlaced } from "../order/order.events";

/**
 * Gives an order its slot and founds its stream, in one append. Needs `ctx.meta.command`. The answer is the placed order
 * and the position of its event.
 * Refusals: `slot.full` (data `next_free`), `slot.order_too_large`, `slot.branch_closed`, `branch.unknown`.
 */
export const placeInSlot = contract({
  name: "slot.place",
  summary: "Give an order its slot and found its stream",
  kind: "command",
  permission: "internal",
  params: strictObject({ draft: Type.Unsafe<OrderDraft>(Type.Object({})) }),
  result: Type.Unsafe<{ placed: OrderPlaced["data"]; position: number }>(Type.Object({})),
  refusals: ["slot.full", "slot.order_too_large", "slot.branch_closed", "branch.unknown"],
});
