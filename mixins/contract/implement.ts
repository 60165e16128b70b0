import { randomUUID } from "node:crypto";
import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { ActionSchema } from "moleculer";
import type { EventLog, Position } from "../event-log/event-log";
import type { ActionContract, ParamsOf, ResultOf } from "./contract";
import { SYSTEM, type Caller, type CommandIdentity, type Ctx } from "./caller";
import { allows } from "./permissions";
import { isRefusal, orThrow, refusalOf, refuse, type Refusal, type RefusalKind } from "./refusal";
import { validatorOf } from "./validation";

/** What a command came to: its answer as the log keeps it, and whether this was a repetition of an earlier one. */
export interface CommandOutcome {
  readonly answer: unknown;
  readonly position: Position;
  readonly replayed: boolean;
}

/** Who asks. A call without a caller comes from inside Forno. */
export function callerOf(ctx: Ctx<unknown>): Caller {
  return ctx.meta.caller ?? SYSTEM;
}

/** The command's identity; made fresh when the call brought none. */
export function commandOf(ctx: Ctx<unknown>): CommandIdentity {
  return (ctx.meta.command ??= { id: randomUUID(), fingerprint: "", fresh: true });
}

/** Why this caller may not call this action; undefined when they may. */
export function permissionRefusal(contract: ActionContract, caller: Caller): Refusal | undefined {
  if (contract.permission === "internal") return undefined;
  if (allows(contract.permission, caller.role))
    return contract.reach === "chain" && caller.branch_ids !== null
      ? refuse(
          "forbidden",
          "auth.chain_only",
          "This changes what all branches share: it needs an account that is bound to no branch.",
        )
      : undefined;
  return caller.role === "guest"
    ? refuse("unauthorized", "auth.required", "Sign in first: this needs a valid access token.")
    : refuse(
        "forbidden",
        "auth.forbidden",
        `Your role (${caller.role}) may not do this: it needs ${contract.permission}.`,
      );
}

/** A Moleculer action from its contract: permission, validation, then the handler. */
export function implement<P extends TObject, R extends TSchema>(
  contract: ActionContract<P, R>,
  handler: (ctx: Ctx<Static<P>>) => Promise<Static<R>> | Static<R>,
): ActionSchema {
  const validate = validatorOf(contract.params, contract.permission === "internal" ? "inside" : "exact");
  return {
    // Travels with the action, so that callers on other nodes know what may be asked again.
    ...{ kind: contract.kind },
    async handler(ctx: Ctx<Static<P>>): Promise<Static<R>> {
      orThrow(permissionRefusal(contract, callerOf(ctx)));
      orThrow(validate(ctx.params));
      return handler(ctx);
    },
  };
}

/** A command's two halves: `run` reaches an outcome in the log, `respond` turns a kept answer into the result. */
export interface CommandHandler<P extends TObject, R extends TSchema> {
  run(ctx: Ctx<Static<P>>): Promise<CommandOutcome | Refusal>;
  respond(answer: unknown, position: Position): Static<R>;
}

/**
 * A command action that may be repeated. When a command that may have been tried before is refused, the log decides: an
 * earlier answer wins over today's refusal (the order may meanwhile be closed, the item sold out), and where there is none
 * the refusal becomes the answer ({@link settle}).
 */
export function implementCommand<P extends TObject, R extends TSchema>(
  log: AnswerLog,
  contract: ActionContract<P, R>,
  command: CommandHandler<P, R>,
): ActionSchema {
  return implement(contract, async (ctx) => {
    const outcome = orThrow(await firstAnswer(log, ctx, () => command.run(ctx)));
    if (outcome.replayed) ctx.meta.replayed = true;
    return command.respond(outcome.answer, outcome.position);
  });
}

/** Where answers are kept. */
export type AnswerLog = Pick<EventLog, "append" | "findAnswers">;

/** Runs a command; where today refuses what was answered before, the first answer wins. */
export async function firstAnswer(
  log: AnswerLog,
  ctx: Ctx<unknown>,
  run: () => Promise<CommandOutcome | Refusal>,
): Promise<CommandOutcome | Refusal> {
  // Before it runs, so that whatever it asks of other rooms carries the same identity.
  commandOf(ctx);
  const outcome = await run().catch((error: unknown) => {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  });
  // Again: a command that had to be sent to a second node is not fresh any more.
  const identity = commandOf(ctx);
  if (!isRefusal(outcome) || identity.fresh === true) return outcome;
  if (!ABOUT_THE_CALLER.has(outcome.refused)) return settle(log, identity, outcome);
  const [stored] = await log.findAnswers([identity.id]);
  return stored === undefined ? outcome : replayOf(identity, stored);
}

/** Refusals that say nothing about the command: the same one may go through in a minute, or with another password. */
const ABOUT_THE_CALLER: ReadonlySet<RefusalKind> = new Set(["unauthorized", "rate_limited"]);

/**
 * Makes a refusal the answer of a command, unless it has one already: then that one is given. An attempt whose outcome
 * nobody knows (its node froze, its connection broke) may still come to the log, however late; it then finds that the
 * command is answered and writes nothing. So whoever was refused stays refused, and what was done is not called refused.
 * @throws UnavailableError when the log does not answer; nothing may be said of the command then.
 */
export async function settle(
  log: Pick<EventLog, "append">,
  identity: CommandIdentity,
  refusal: Refusal,
): Promise<CommandOutcome | Refusal> {
  const { id, fingerprint } = identity;
  const outcome = await log.append({
    streams: [],
    commands: [{ id, fingerprint, answer: refusal }],
    meta: {},
  });
  if (outcome.status !== "duplicate") return refusal;
  const [stored] = outcome.answers;
  if (stored === undefined) throw new Error(`Command ${id} is known to the log, but its answer is not.`);
  return replayOf(identity, stored);
}

/** What a command that the log already answered came to: its outcome, its refusal, or the refusal of a reused key. */
export function replayOf(
  identity: CommandIdentity,
  stored: { readonly fingerprint: string; readonly answer: unknown; readonly position: Position },
): CommandOutcome | Refusal {
  if (stored.fingerprint !== identity.fingerprint)
    return refuse(
      "conflict",
      "idempotency.key_reused",
      "This Idempotency-Key was used with another request; take a new key.",
    );
  if (isRefusal(stored.answer)) return stored.answer;
  return { answer: stored.answer, position: stored.position, replayed: true };
}

/** Anything that can call an action: a context, or the broker itself. */
interface CanCall {
  call(name: string, params?: object, options?: object): Promise<unknown>;
}

/** Calls an action through its contract; the only way that services call each other (the linter forbids the raw call). */
export function act<C extends ActionContract>(
  from: CanCall,
  contract: C,
  params: ParamsOf<C>,
  options?: { meta?: object; timeout?: number; nodeID?: string },
): Promise<ResultOf<C>> {
  return from.call(contract.name, params, options);
}
