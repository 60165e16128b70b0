import type { ServiceSchema } from "moleculer";
import { cachedAction, endNow } from "../../mixins/cache-tags/cached-action";
import type { Ctx } from "../../mixins/contract/caller";
import type { ParamsOf, ResultOf } from "../../mixins/contract/contract";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import {
  act,
  callerOf,
  commandOf,
  firstAnswer,
  implement,
  type CommandOutcome,
} from "../../mixins/contract/implement";
import { isRefusal, orThrow, refuse, type Refusal } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import { ERASED_EVENT } from "../../mixins/erasure/erased-event";
import type { Runtime } from "../../mixins/runtime";
import { withPhone } from "../../mixins/text/phone";
import { me } from "../auth/auth.contract";
import type { UserChanged } from "../auth/auth.events";
import type { CustomerErased } from "../customer/customer.events";
import { changeProfile, getProfile, type Profile } from "./profile.contract";
import { profileStream, type ProfileChanged } from "./profile.events";
import { lockedProfile, readProfile, writeProfile } from "./profile.store";

const TTL_S = 3_600;
const tagOf = (user_id: string): string => `profile:${user_id}`;
const tagsOfEvent = ({ data }: { readonly data: unknown }): string[] => [
  tagOf((data as (ProfileChanged | UserChanged)["data"]).user_id),
];

type Account = ResultOf<typeof me>;

/** What customers say of themselves to the shop. Every profile is the caller's own: nobody can name another. */
export function createProfileService(runtime: Runtime): ServiceSchema {
  return {
    name: "profile",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: {
      get: cachedAction(
        runtime,
        getProfile,
        {
          key: (_params, caller) => caller.user_id ?? "nobody",
          ttl_s: TTL_S,
          tags: (_params, result) => (result === undefined ? [] : [tagOf(result.user_id)]),
          invalidate_on: { "user.profile_changed": tagsOfEvent, "auth.user_changed": tagsOfEvent },
          // By phone, any profile may have lost the number.
          remove_on: { [ERASED_EVENT]: ({ data }) => (data as CustomerErased["data"]).user_id ?? "*" },
        },
        async (ctx) => shown(await act(ctx, me, {}), await readProfile(runtime.pool, userOf(ctx))),
      ),
      // The log keeps that there was a change, never what a person said: the answer is read anew.
      change: implement(changeProfile, async (ctx) => {
        const account = await act(ctx, me, {});
        const { user_id } = account;
        const { position, replayed } = orThrow(
          await firstAnswer(runtime.log, ctx, () => change(runtime, ctx, account)),
        );
        await endNow(runtime, tagOf(user_id));
        if (replayed) ctx.meta.replayed = true;
        return { ...shown(account, await readProfile(runtime.pool, user_id)), position };
      }),
    },
  };
}

const userOf = (ctx: Ctx<unknown>): string => callerOf(ctx).user_id ?? "";

/** What somebody says who has said nothing yet. */
const unwritten = ({ name, phone }: Account): Profile => ({
  ...{ name, phone, addresses: [], birthday: null, language: "ru", marketing_consent: false },
});

function shown(account: Account, profile = unwritten(account)): ResultOf<typeof getProfile> {
  return { user_id: account.user_id, email: account.email, ...profile };
}

async function change(
  runtime: Runtime,
  ctx: Ctx<ParamsOf<typeof changeProfile>>,
  account: Account,
): Promise<CommandOutcome | Refusal> {
  const { user_id } = account;
  const at = new Date(runtime.clock.now()).toISOString();
  const wish = withPhone(ctx.params, runtime.settings.PHONE_COUNTRY, "profile.phone_invalid");
  if (isRefusal(wish)) return wish;
  const wrong = wishRefusal(wish, at);
  if (wrong !== undefined) return wrong;
  return changeRows(runtime, commandOf(ctx), async (tx) => {
    const { version, ...before } = (await lockedProfile(tx, user_id)) ?? {
      ...unwritten(account),
      version: 0,
    };
    const after: Profile = { ...before, ...wish };
    await writeProfile(tx, user_id, after, version + 1, at);
    const changed = Object.keys(wish).sort();
    const event: ProfileChanged = { type: "user.profile_changed", data: { user_id, changed, at } };
    const stream_id = profileStream(user_id);
    return {
      streams: [{ stream_id, stream_type: "profile", expected_version: version, events: [event] }],
      answer: {},
      meta: eventMetaOf(ctx, "profile"),
    };
  });
}

function wishRefusal({ birthday, addresses }: Partial<Profile>, at: string): Refusal | undefined {
  if (typeof birthday === "string" && birthday > at.slice(0, 10))
    return refuse("unprocessable", "profile.birthday_in_future", "A birthday has been already.");
  if ((addresses ?? []).filter(({ is_default }) => is_default).length > 1)
    return refuse(
      "unprocessable",
      "profile.several_default_addresses",
      "One address is the default, not several.",
    );
  return undefined;
}
