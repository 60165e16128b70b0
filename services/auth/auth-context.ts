import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { ActionSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import type { ActionContract } from "../../mixins/contract/contract";
import { firstAnswer, implement, type CommandOutcome } from "../../mixins/contract/implement";
import { orThrow, type Refusal } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import type { AccountAnswer } from "./accounts";
import type { AuthRoom } from "./auth-room";
import { sealing } from "./command-seal";

/** What the actions of this room share. */
export interface AuthContext {
  readonly runtime: Pick<Runtime, "pool" | "log" | "clock">;
  readonly room: AuthRoom;
}

/**
 * A command of this room: run once, answered from the log when repeated. What the log keeps holds no secret, so `present`
 * makes the result anew from what the answer names.
 */
export function durable<P extends TObject, R extends TSchema>(
  { runtime, room }: AuthContext,
  contract: ActionContract<P, R>,
  command: {
    run(ctx: Ctx<Static<P>>): Promise<CommandOutcome | Refusal>;
    present(ctx: Ctx<Static<P>>, answer: AccountAnswer): Promise<Static<R>> | Static<R>;
  },
): ActionSchema {
  const action = implement(contract, async (ctx) => {
    const outcome = orThrow(await firstAnswer(runtime.log, ctx, () => command.run(ctx)));
    if (outcome.replayed) ctx.meta.replayed = true;
    return command.present(ctx, outcome.answer as AccountAnswer);
  });
  return sealing(room.keys, action);
}

/** Gives the device that a call comes from something to be known by: it has just proved to be this account's. */
export function rememberDevice({ room }: AuthContext, { meta }: Ctx<unknown>, user_id: string): void {
  meta.new_device_token = room.devices.withNew(meta.device_token, user_id);
}

/** How many sessions a change has ended, as commands answer it. */
export function endedSessions(
  _ctx: unknown,
  { revoked_session_ids }: AccountAnswer,
): { revoked_sessions: number } {
  return { revoked_sessions: revoked_session_ids.length };
}
