import type { ActorHost } from "../../mixins/actor/actor-host";
import { createActorHost } from "../../mixins/actor/create-actor-host";
import type { Ctx } from "../../mixins/contract/caller";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import { commandOf, type CommandOutcome } from "../../mixins/contract/implement";
import type { Refusal } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import type { SlotCalendar } from "./slot.calendar";
import type { SlotCommand } from "./slot.commands";
import { slotDecider } from "./slot.decider";
import { kitchenDayStream } from "./slot.events";
import { createDayGiven } from "./slot.given";
import { loadKitchenDay, saveKitchenDay, SNAPSHOT_SCHEMA_V } from "./slot.snapshot";
import type { KitchenDay } from "./slot.state";

/** The kitchen-days that live on this node. */
export interface KitchenDays {
  readonly host: ActorHost<KitchenDay, SlotCommand>;
  /** Tells a business day of a branch to do something, in the name of the caller and command of a call. */
  tell(
    ctx: Ctx<unknown>,
    branch_id: string,
    business_date: string,
    command: SlotCommand,
  ): Promise<CommandOutcome | Refusal>;
}

/** Makes the host of this node's kitchen-days. */
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
  return {
    host,
    tell: (ctx, branch_id, business_date, command) =>
      host.tell(
        kitchenDayStream(branch_id, business_date),
        command,
        commandOf(ctx),
        eventMetaOf(ctx, "slot"),
      ),
  };
}
