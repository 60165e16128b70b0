import type { ActionSchema } from "moleculer";
import type { ActorHost } from "../../mixins/actor/actor-host";
import { createActorHost } from "../../mixins/actor/create-actor-host";
import { PlacedActors } from "../../mixins/actor/placed-actors";
import type { Ctx } from "../../mixins/contract/caller";
import type { CommandOutcome } from "../../mixins/contract/implement";
import type { Refusal } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import type { SlotCalendar } from "./slot.calendar";
import type { SlotCommand } from "./slot.commands";
import { slotDecider } from "./slot.decider";
import { KITCHEN_DAY_STREAMS, kitchenDayStream } from "./slot.events";
import { createDayGiven } from "./slot.given";
import { loadKitchenDay, saveKitchenDay, SNAPSHOT_SCHEMA_V } from "./slot.snapshot";
import type { KitchenDay } from "./slot.state";

const TELL_DAY = "slot.tell_day";

/** The kitchen-days: those that live on this node, and how the others are told. */
export interface KitchenDays {
  /** The kitchen-days that live on this node. */
  readonly host: ActorHost<KitchenDay, SlotCommand>;
  /** The action by which other nodes tell them. */
  readonly tellDay: ActionSchema;
  /** Tells a business day of a branch to do something, in the name of the caller and command of a call. */
  tell(
    ctx: Ctx<unknown>,
    branch_id: string,
    business_date: string,
    command: SlotCommand,
  ): Promise<CommandOutcome | Refusal>;
}

/** Makes the host of this node's kitchen-days. Each day lives on one node; see {@link PlacedActors}. */
export function createKitchenDays(runtime: Runtime, calendar: SlotCalendar): KitchenDays {
  const { log, clock, broker } = runtime;
  const host = createActorHost(
    { log, clock, logger: broker.getLogger("kitchen-day") },
    {
      kind: "kitchen-day",
      decider: slotDecider,
      given: createDayGiven(runtime, calendar),
      snapshot: { schema_v: SNAPSHOT_SCHEMA_V, save: saveKitchenDay, load: loadKitchenDay },
    },
  );
  const placed = new PlacedActors<SlotCommand>(runtime, host, {
    action: TELL_DAY,
    streams: KITCHEN_DAY_STREAMS,
    room: "slot",
  });
  return {
    host,
    tellDay: placed.action(),
    tell: (ctx, branch_id, business_date, command) =>
      placed.tell(ctx, kitchenDayStream(branch_id, business_date), command),
  };
}
