import { Type } from "@sinclair/typebox";
import type { CommandIdentity } from "../../mixins/contract/caller";
import { contract } from "../../mixins/contract/contract";
import { nullable, PositionSchema, strictObject, Uuid } from "../../mixins/contract/schemas";
import { derivedCommandId } from "../../mixins/process/derived-id";

const internal = { kind: "command", permission: "internal" } as const;
const Done = strictObject({ position: PositionSchema });

/** An order that was left between taking and placing was settled as this: nothing is placed under its key any more. */
export const NOT_PLACED_REFUSAL = "order.not_placed";

/** Refusals that end an order's placement; those of a sale only end its price. */
export const PROMO_REFUSALS = [
  "promo.used_up",
  "promo.used_by_you",
  "promo.first_order_only",
  "promo.sign_in_required",
] as const;

/**
 * Takes what an order needs of a limited offer, before the order is placed. The call's command id is `hold_id`; what is taken
 * again under it is taken once. `placing` is the command that is to place the order. Refusals of a sale carry `remaining`, the
 * units that this order may have, those among them that it has taken before: `offer.exhausted`, `offer.over` (of a promo
 * code, too); of a promo code: see {@link PROMO_REFUSALS}.
 *
 * A customer's first order is a quota, too, of one for each customer: of several codes for a first order, whoever uses them at
 * once and wherever, one gives its discount.
 *
 * Who takes has to place the order under `placing`, or to settle that command as refused and then give back.
 */
export const takeQuota = contract({
  ...internal,
  name: "quota.take",
  summary: "Take units of a limited offer for an order",
  params: strictObject({
    quota_id: Uuid,
    hold_id: Uuid,
    units: Type.Integer({ minimum: 1 }),
    user_id: nullable(Uuid),
    first_order: Type.Boolean({
      description: "It is the customer's first order that is taken; `quota_id` is the customer's id",
    }),
    has_ordered: Type.Boolean({ description: "The customer has an order that is not cancelled" }),
    placing: Type.Unsafe<CommandIdentity>(Type.Object({ id: Uuid, fingerprint: Type.String() })),
  }),
  result: Done,
  refusals: ["offer.exhausted", "offer.over", ...PROMO_REFUSALS],
});

/** The order stands in the log with this hold. Saves the sweep a question. */
export const confirmHold = contract({
  ...internal,
  name: "quota.confirm",
  summary: "Note the order that has what was taken",
  params: strictObject({ quota_id: Uuid, hold_id: Uuid, order_id: Uuid }),
  result: Done,
});

/** Gives back what an order has taken, once; only when the order is cancelled, or can never be placed any more. */
export const returnHold = contract({
  ...internal,
  name: "quota.return",
  summary: "Give back what an order has taken of a limited offer",
  params: strictObject({
    quota_id: Uuid,
    hold_id: Uuid,
    reason: Type.Union([Type.Literal("cancelled"), Type.Literal("not_placed")]),
  }),
  result: Done,
});

/**
 * What an order takes under a command. The same command, asked again for the same, comes to the same hold; a key that is used
 * for another order does not.
 */
export function holdIdOf({ id, fingerprint }: CommandIdentity, quota_id: string, units: number): string {
  return derivedCommandId(id, `hold of ${quota_id} for ${fingerprint}`, units);
}

/** Under which command a hold is confirmed or given back where no process manager does it: each once, whoever sends it. */
export function holdCommand(
  { name }: typeof confirmHold | typeof returnHold,
  hold_id: string,
): CommandIdentity {
  return { id: derivedCommandId(hold_id, name, 0), fingerprint: name };
}

/** Every contract of the room. */
export const quotaContracts = [takeQuota, confirmHold, returnHold] as const;
