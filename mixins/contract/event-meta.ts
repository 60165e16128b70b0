import type { EventMeta } from "../event-log/event-log";
import type { Ctx } from "./caller";
import { callerOf } from "./implement";

/** Who and what stands behind the events of a call. `room` names Forno itself, where no person asked. */
export function eventMetaOf(ctx: Ctx<unknown>, room: string): EventMeta {
  const { request_id, traceparent } = ctx.meta;
  const { user_id, role } = callerOf(ctx);
  return {
    actor: user_id ?? (role === "system" ? `system:${room}` : role),
    ...(request_id === undefined ? {} : { correlation_id: request_id }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
