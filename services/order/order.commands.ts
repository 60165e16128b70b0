import type { ServiceSchema } from "moleculer";
import type { PlacedActors } from "../../mixins/actor/placed-actors";
import type { Ctx } from "../../mixins/contract/caller";
import { callerOf, implementCommand, type CommandOutcome } from "../../mixins/contract/implement";
import type { Refusal } from "../../mixins/contract/refusal";
import type { EventLog, Position } from "../../mixins/event-log/event-log";
import type { Clock } from "../../mixins/runtime";
import {
  advanceOrder,
  cancelMyOrder,
  cancelOrder,
  cancelTrackedOrder,
  processOrder,
  refundOrder,
} from "./order.contract";
import type { OrderAnswer, OrderCommand, RefundAnswer } from "./order.decider";
import { orderStream } from "./order.events";
import { found, type OrderQueryDeps } from "./order.queries";

/** What the commands on existing orders work with. */
export interface OrderCommandDeps extends OrderQueryDeps {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly placed: PlacedActors<OrderCommand>;
}

/** Why a customer cancelled, where they did not say. */
const NO_REASON = "cancelled by the customer";

/** The commands on an order that exists. The order's actor decides them, also whether the caller may. */
export function orderCommands(deps: OrderCommandDeps): ServiceSchema["actions"] {
  const { log, clock, reads } = deps;
  const now = (): string => new Date(clock.now()).toISOString();
  const tell = (
    ctx: Ctx<unknown>,
    order_id: string,
    command: OrderCommand,
  ): Promise<CommandOutcome | Refusal> => deps.placed.tell(ctx, orderStream(order_id), command);
  const respond = (answer: unknown, position: Position) => ({ ...(answer as OrderAnswer), position });

  return {
    tell_order: deps.placed.action(),
    process: implementCommand(log, processOrder, {
      run: (ctx) => tell(ctx, ctx.params.order_id, { type: "order.process", by: callerOf(ctx), at: now() }),
      respond,
    }),
    advance: implementCommand(log, advanceOrder, {
      run(ctx) {
        const { order_id, status } = ctx.params;
        return tell(ctx, order_id, { type: "order.advance", to: status, by: callerOf(ctx), at: now() });
      },
      respond,
    }),
    cancel: implementCommand(log, cancelOrder, {
      run(ctx) {
        const { order_id, reason } = ctx.params;
        return tell(ctx, order_id, { type: "order.cancel", reason, by: callerOf(ctx), at: now() });
      },
      respond,
    }),
    cancel_mine: implementCommand(log, cancelMyOrder, {
      run(ctx) {
        const { order_id, reason = NO_REASON } = ctx.params;
        const { user_id } = callerOf(ctx);
        // As the customer that they are here, whatever else they may do at the desk's door.
        const by = { role: "customer", user_id, branch_ids: null } as const;
        return tell(ctx, order_id, { type: "order.cancel", reason, by, at: now() });
      },
      respond,
    }),
    cancel_tracked: implementCommand(log, cancelTrackedOrder, {
      async run(ctx) {
        const { token, reason = NO_REASON } = ctx.params;
        const { order_id } = await found(deps, () => reads.byTrackToken(token));
        const by = callerOf(ctx);
        return tell(ctx, order_id, { type: "order.cancel", reason, by, at: now(), track_token: token });
      },
      respond,
    }),
    refund: implementCommand(log, refundOrder, {
      run(ctx) {
        const { order_id, amount_minor, reason } = ctx.params;
        const amount = amount_minor === undefined ? {} : { amount_minor };
        return tell(ctx, order_id, { type: "order.refund", ...amount, reason, by: callerOf(ctx), at: now() });
      },
      respond: (answer, position) => ({ ...(answer as RefundAnswer), position }),
    }),
  };
}
