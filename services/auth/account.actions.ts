import type { ActionSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import { act, callerOf, commandOf, implement } from "../../mixins/contract/implement";
import { isRefusal, orThrow, refuse } from "../../mixins/contract/refusal";
import type { VerifiedCaller } from "../../mixins/contract/token-verifier";
import { cursorMalformed, keyBehind } from "../../mixins/crud/cursor";
import { pageFrom } from "../../mixins/crud/page";
import { getBranch } from "../branch/branch.contract";
import { getLegalEntity } from "../branch/legal-entity.contract";
import type { AccountWish } from "./account";
import { durable, endedSessions, rememberDevice, type AuthContext } from "./auth-context";
import { checkPassword } from "./auth-room";
import * as contracts from "./auth.contract";
import { passwordRefusal } from "./password-judge";
import { pageOfUsers, viewOf, type UserView } from "./users";

const PAGE_DEFAULT = 50;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Actions on accounts: one's own, and everybody's for a super admin. */
export function accountActions(context: AuthContext): Record<string, ActionSchema> {
  return {
    me: implement(contracts.me, (ctx) => shown(context, callerOf(ctx).user_id ?? "")),
    change_password: changePasswordAction(context),
    user_list: userListAction(context),
    user_get: implement(contracts.getUser, (ctx) => shown(context, ctx.params.user_id)),
    user_create: userCreateAction(context),
    user_change: userChangeAction(context),
    user_reset_password: resetPasswordAction(context),
    user_revoke_sessions: revokeSessionsAction(context),
  };
}

async function shown({ room }: AuthContext, user_id: string): Promise<UserView> {
  if (!UUID.test(user_id))
    return orThrow<never>(refuse("not_found", "auth.user_unknown", "The caller is no account."));
  return viewOf(orThrow(await room.accounts.get(user_id)));
}

function changePasswordAction(context: AuthContext): ActionSchema {
  const { room, runtime } = context;
  return durable(context, contracts.changeOwnPassword, {
    async run(ctx) {
      const { user_id, session_id }: VerifiedCaller = callerOf(ctx);
      const user = await room.accounts.get(user_id ?? "");
      if (isRefusal(user)) return user;
      const claim = {
        ...{ user, typed: user.user_id, password: ctx.params.current_password },
        // Who is signed in is nobody else, and holds nobody else up.
        ...{ address: ctx.meta.client_address, known: session_id },
      };
      const proven = await checkPassword(room, runtime, claim);
      if (isRefusal(proven)) return proven;
      const weak = await passwordRefusal(ctx.params.new_password, user);
      if (weak !== undefined) return weak;
      const password_hash = await room.hasher.hash(ctx.params.new_password);
      return room.accounts.setPassword(user.user_id, password_hash, commandOf(ctx), eventMetaOf(ctx, "auth"));
    },
    present(ctx, answer) {
      rememberDevice(context, ctx, answer.user_id);
      return endedSessions(ctx, answer);
    },
  });
}

function userListAction({ runtime }: AuthContext): ActionSchema {
  return implement(contracts.listUsers, async (ctx) => {
    const { role, status, cursor, limit = PAGE_DEFAULT } = ctx.params;
    const after = cursor === undefined ? undefined : keyBehind(cursor);
    if (after !== undefined && !UUID.test(after)) return orThrow<never>(cursorMalformed());
    const rows = await pageOfUsers(runtime.pool, { role, status, after, limit: limit + 1 });
    const { items, next_cursor } = pageFrom(rows, limit, ({ user_id }) => user_id);
    return { items: items.map(viewOf), next_cursor };
  });
}

function userCreateAction(context: AuthContext): ActionSchema {
  const { room } = context;
  return durable(context, contracts.createUser, {
    async run(ctx) {
      const { password, ...wish } = ctx.params;
      await checkPlaces(ctx, wish);
      const weak = password === undefined ? undefined : await passwordRefusal(password, wish);
      if (weak !== undefined) return weak;
      const password_hash = password === undefined ? null : await room.hasher.hash(password);
      return room.accounts.create({ ...wish, password_hash }, commandOf(ctx), eventMetaOf(ctx, "auth"));
    },
    present: (_ctx, { user_id }) => shown(context, user_id),
  });
}

function userChangeAction(context: AuthContext): ActionSchema {
  return durable(context, contracts.changeUser, {
    async run(ctx) {
      const { user_id, ...wish } = ctx.params;
      await checkPlaces(ctx, wish);
      return context.room.accounts.change(user_id, wish, commandOf(ctx), eventMetaOf(ctx, "auth"));
    },
    present: (_ctx, { user_id }) => shown(context, user_id),
  });
}

/** Refuses branches and legal entities that do not exist. */
async function checkPlaces(ctx: Ctx<unknown>, { branch_ids, legal_entity_id }: AccountWish): Promise<void> {
  await Promise.all((branch_ids ?? []).map((branch_id) => act(ctx, getBranch, { branch_id })));
  if (typeof legal_entity_id === "string") await act(ctx, getLegalEntity, { legal_entity_id });
}

function resetPasswordAction(context: AuthContext): ActionSchema {
  const { room } = context;
  return durable(context, contracts.resetPassword, {
    async run(ctx) {
      const known = await room.accounts.get(ctx.params.user_id);
      if (isRefusal(known)) return known;
      const weak = await passwordRefusal(ctx.params.password, known);
      if (weak !== undefined) return weak;
      const password_hash = await room.hasher.hash(ctx.params.password);
      return room.accounts.setPassword(
        ctx.params.user_id,
        password_hash,
        commandOf(ctx),
        eventMetaOf(ctx, "auth"),
      );
    },
    present: endedSessions,
  });
}

function revokeSessionsAction(context: AuthContext): ActionSchema {
  return durable(context, contracts.revokeUserSessions, {
    run: (ctx) =>
      context.room.accounts.endSessions(
        { user_id: ctx.params.user_id },
        "operator",
        commandOf(ctx),
        eventMetaOf(ctx, "auth"),
      ),
    present: endedSessions,
  });
}
