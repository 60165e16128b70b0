import { randomUUID } from "node:crypto";
import type { Static } from "@sinclair/typebox";
import type { ActionSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import { act, callerOf, commandOf, implement } from "../../mixins/contract/implement";
import { isRefusal, orThrow, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { VerifiedCaller } from "../../mixins/contract/token-verifier";
import { emailOf, usernameOf } from "../../mixins/text/forms";
import { getLegalEntity } from "../branch/legal-entity.contract";
import { TOKEN_INVALID } from "./access-token";
import { durable, endedSessions, rememberDevice, type AuthContext } from "./auth-context";
import { activeUser, checkPassword, issueTokens, signIn, type IssuedTokens } from "./auth-room";
import * as contracts from "./auth.contract";
import { sealing } from "./command-seal";
import { passwordRefusal } from "./password-judge";
import { userByEmail, userByUsername, type UserRow } from "./users";

const REUSED = refuse(
  "unauthorized",
  "auth.refresh_reused",
  "This refresh token was used before. To be safe its session was ended; sign in again.",
);
const REQUIRED = refuse(
  "unauthorized",
  "auth.required",
  "Name the session: send its refresh token or an access token.",
);

/** Actions by which people come and go. */
export function signInActions(context: AuthContext): Record<string, ActionSchema> {
  const { keys } = context.room;
  return {
    register: registerAction(context),
    login: sealing(keys, loginAction(context)),
    super_admin_login: sealing(keys, superAdminLoginAction(context)),
    refresh: sealing(keys, refreshAction(context)),
    logout: logoutAction(context),
    signed_in_at: implement(contracts.signedInAt, async ({ params: { session_id } }) => {
      const opened = await context.room.sessions.openedAt(session_id);
      return { at: opened?.toISOString() ?? null };
    }),
  };
}

function registerAction(context: AuthContext): ActionSchema {
  const { runtime, room } = context;
  return durable(context, contracts.register, {
    async run(ctx) {
      const { password, ...wish } = ctx.params;
      const weak = await passwordRefusal(password, { ...wish, role: "customer" });
      if (weak !== undefined) return weak;
      const password_hash = await room.hasher.hash(password);
      return room.accounts.create(
        { ...wish, role: "customer", password_hash },
        commandOf(ctx),
        eventMetaOf(ctx, "auth"),
      );
    },
    async present(ctx, { user_id }) {
      const user = orThrow(await activeUser(runtime, user_id));
      rememberDevice(context, ctx, user_id);
      return tokensOf(orThrow(await signIn(room, runtime, user, commandOf(ctx))));
    },
  });
}

function loginAction(context: AuthContext): ActionSchema {
  return implement(contracts.login, async (ctx) => {
    const email = emailOf(ctx.params.email);
    const user = await userByEmail(context.runtime.pool, email);
    const proven = orThrow(
      await provenUser(context, ctx, { user, typed: `email ${email}`, password: ctx.params.password }),
    );
    const issued = orThrow(await signIn(context.room, context.runtime, proven, commandOf(ctx)));
    if (issued.replayed) ctx.meta.replayed = true;
    return tokensOf(issued);
  });
}

function superAdminLoginAction(context: AuthContext): ActionSchema {
  return implement(contracts.superAdminLogin, async (ctx) => {
    const username = usernameOf(ctx.params.username);
    const found = await userByUsername(context.runtime.pool, username);
    const user = found?.role === "super_admin" ? found : undefined;
    const proven = orThrow(
      await provenUser(context, ctx, { user, typed: `username ${username}`, password: ctx.params.password }),
    );
    const legal_entity_id = ctx.params.legal_entity_id ?? proven.legal_entity_id;
    if (legal_entity_id !== null) await act(ctx, getLegalEntity, { legal_entity_id });
    const issued = orThrow(
      await signIn(context.room, context.runtime, proven, commandOf(ctx), legal_entity_id),
    );
    if (issued.replayed) ctx.meta.replayed = true;
    const { token, refresh_token, expires_at } = issued;
    return {
      token,
      refresh_token,
      user_id: proven.user_id,
      username,
      expires_at,
      legal_entity_id: issued.legal_entity_id,
    };
  });
}

/** Who has the right password; their device is known from now on. */
async function provenUser(
  context: AuthContext,
  ctx: Ctx<unknown>,
  claim: { user: UserRow | undefined; typed: string; password: string },
): Promise<UserRow | Refusal> {
  const { room, runtime } = context;
  const { client_address: address, device_token } = ctx.meta;
  const known = room.devices.known(device_token, claim.user);
  const proven = await checkPassword(room, runtime, { ...claim, address, known });
  if (!isRefusal(proven)) rememberDevice(context, ctx, proven.user_id);
  return proven;
}

function refreshAction({ room, runtime }: AuthContext): ActionSchema {
  return implement(contracts.refresh, async (ctx) => {
    const session = orThrow(await room.sessions.rotate(ctx.params.refresh_token, commandOf(ctx)));
    if ("reused_session_id" in session) {
      const which = { user_id: session.user_id, session_id: session.reused_session_id };
      const command = { id: randomUUID(), fingerprint: "", fresh: true } as const;
      orThrow(await room.accounts.endSessions(which, "reuse", command, eventMetaOf(ctx, "auth")));
      return orThrow<never>(REUSED);
    }
    const user = orThrow(await activeUser(runtime, session.user_id));
    if (session.replayed) ctx.meta.replayed = true;
    return tokensOf(await issueTokens(room, runtime, user, session));
  });
}

function logoutAction(context: AuthContext): ActionSchema {
  const { accounts } = context.room;
  return durable(context, contracts.logout, {
    async run(ctx) {
      const session = await sessionToEnd(context, ctx);
      if (isRefusal(session)) return session;
      const which = ctx.params.everywhere === true ? { user_id: session.user_id } : session;
      return accounts.endSessions(which, "logout", commandOf(ctx), eventMetaOf(ctx, "auth"));
    },
    present: endedSessions,
  });
}

async function sessionToEnd(
  { room }: AuthContext,
  ctx: Ctx<Static<typeof contracts.logout.params>>,
): Promise<{ user_id: string; session_id: string } | Refusal> {
  const { refresh_token } = ctx.params;
  if (refresh_token !== undefined) return (await room.sessions.find(refresh_token)) ?? TOKEN_INVALID;
  const { user_id, session_id }: VerifiedCaller = callerOf(ctx);
  return user_id === null || session_id === undefined ? REQUIRED : { user_id, session_id };
}

function tokensOf({ user, token, refresh_token, expires_at }: IssuedTokens): Static<typeof contracts.Tokens> {
  return { token, refresh_token, user_id: user.user_id, role: user.role, expires_at };
}
