import type { ActionSchema, ServiceSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import type { ResultOf } from "../../mixins/contract/contract";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import { act, callerOf, commandOf, implement, implementCommand } from "../../mixins/contract/implement";
import { isRefusal, orThrow, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { VerifiedCaller } from "../../mixins/contract/token-verifier";
import type { Person, PersonalRecords } from "../../mixins/erasure/personal-records";
import type { Position } from "../../mixins/event-log/event-log";
import type { JobHandle } from "../../mixins/process/start-job";
import type { Runtime } from "../../mixins/runtime";
import { withPhone } from "../../mixins/text/phone";
import { signedInAt } from "../auth/auth.contract";
import * as contracts from "./customer.contract";
import { Erasures, UNKNOWN, type ErasureAnswer } from "./customer.erasure";
import { knownOf } from "./customer.export";
import { startRest } from "./customer.rest";

/** A token may have been left on a shared machine; the password is asked for again. */
const SIGNED_IN_MS_MAX = 600_000;

const NOT_NAMED = refuse(
  "invalid",
  "customer.not_named",
  "Name the person by user_id or by phone, by one of the two.",
);
const SIGN_IN_AGAIN = refuse(
  "unauthorized",
  "auth.sign_in_again",
  "Sign in with your password once more, and ask within ten minutes.",
);

/** People as a whole: what the chain knows of somebody, and its end. What that is, the rooms say. */
export function createCustomerService(runtime: Runtime, records: readonly PersonalRecords[]): ServiceSchema {
  const erasures = new Erasures(runtime, records);
  let rest: JobHandle | undefined;
  return {
    name: "customer",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: { ...eraseActions(runtime, erasures), ...exportActions(runtime, records) },
    started() {
      rest = startRest({ runtime, erasures, logger: runtime.broker.getLogger("customer") });
      return Promise.resolve();
    },
    async stopped() {
      await rest?.stop();
    },
  };
}

function eraseActions(runtime: Runtime, erasures: Erasures): Record<string, ActionSchema> {
  return {
    erase: implementCommand(runtime.log, contracts.eraseCustomer, {
      async run(ctx) {
        const person = personOf(runtime, ctx.params);
        if (isRefusal(person)) return person;
        return erasures.erase(person, "desk", commandOf(ctx), eventMetaOf(ctx, "customer"));
      },
      respond: erasureResult,
    }),
    erase_own: implementCommand(runtime.log, contracts.eraseOwn, {
      async run(ctx) {
        const person = await provenSelf(runtime, ctx);
        if (isRefusal(person)) return person;
        return erasures.erase(person, "self", commandOf(ctx), eventMetaOf(ctx, "customer"));
      },
      respond: erasureResult,
    }),
  };
}

function exportActions(runtime: Runtime, records: readonly PersonalRecords[]): Record<string, ActionSchema> {
  return {
    export: implement(contracts.exportCustomer, async (ctx) =>
      orThrow(await knownOf(runtime, records, orThrow(personOf(runtime, ctx.params)), "super_admin")),
    ),
    export_own: implement(contracts.exportOwn, async (ctx) =>
      orThrow(await knownOf(runtime, records, orThrow(selfOf(ctx)), "customer")),
    ),
  };
}

function erasureResult(answer: unknown, position: Position): ResultOf<typeof contracts.eraseCustomer> {
  return { ...(answer as ErasureAnswer), position };
}

function personOf(
  { settings }: Pick<Runtime, "settings">,
  named: { readonly user_id?: string; readonly phone?: string },
): Person | Refusal {
  const known = withPhone(named, settings.PHONE_COUNTRY, "customer.phone_invalid");
  if (isRefusal(known)) return known;
  const { user_id, phone } = known;
  if (user_id !== undefined && phone === undefined) return { user_id: user_id.toLowerCase(), phone: null };
  if (phone !== undefined && user_id === undefined) return { user_id: null, phone };
  return NOT_NAMED;
}

/** The caller. By their account alone: anybody can write anybody's number into their profile. */
function selfOf(ctx: Ctx<unknown>): Person | Refusal {
  const { user_id } = callerOf(ctx);
  return user_id === null ? UNKNOWN : { user_id, phone: null };
}

async function provenSelf({ clock }: Pick<Runtime, "clock">, ctx: Ctx<unknown>): Promise<Person | Refusal> {
  const { session_id }: VerifiedCaller = callerOf(ctx);
  if (session_id === undefined) return SIGN_IN_AGAIN;
  const { at } = await act(ctx, signedInAt, { session_id });
  if (at === null || Date.parse(at) < clock.now() - SIGNED_IN_MS_MAX) return SIGN_IN_AGAIN;
  return selfOf(ctx);
}
