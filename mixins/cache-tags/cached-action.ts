import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { ActionSchema } from "moleculer";
import type { Caller, Ctx } from "../contract/caller";
import type { ActionContract } from "../contract/contract";
import { callerOf, implement } from "../contract/implement";
import type { RecordedEvent } from "../event-log/event-log";
import type { Runtime } from "../runtime";
import { cacheRulesOf } from "./cache-rules";
import type { CacheAnswer, CacheTerms } from "./tag-cache";

/** How the answers of a reading action are kept. */
export interface CacheRule<P = never, C = never> {
  /** Everything that the answer depends on: parameters, and what of the caller makes a difference. */
  readonly key: (params: P, caller: Caller) => string;
  readonly ttl_s: number;
  /** Part of `ttl_s` (0 to 1) by which chance may shorten it. */
  readonly ttl_jitter?: number;
  /** Seconds for which a null is kept; not kept where this is not said. */
  readonly null_ttl_s?: number;
  /** Asked before the computation without a result, and after it with one: it may then name more. */
  readonly tags?: (params: P, result?: C) => readonly string[];
  /** Event types, and the tags that such an event ends. */
  readonly invalidate_on?: Readonly<Record<string, (event: RecordedEvent) => readonly string[]>>;
  /**
   * Projections whose tables the action reads: tags end only once those have the event too, else the old row would be read and
   * kept again. Rows that are written in the transaction of their event (`changeRows`) need no mention here.
   */
  readonly reads?: readonly string[];
}

type Room = Pick<Runtime, "broker" | "cache">;

/**
 * A Moleculer action from its contract, like `implement`: permission, validation, then the cache, then the handler. The answer
 * is shared with other callers and frozen. Who says `after` is answered by the handler: they know of something newer.
 *
 * Over HTTP the answer carries `X-Cache`, `X-Cache-Strategy` and `Age`.
 */
export function cachedAction<P extends TObject, R extends TSchema>(
  runtime: Room,
  contract: ActionContract<P, R>,
  rule: CacheRule<Static<P>, Static<R>>,
  handler: (ctx: Ctx<Static<P>>) => Promise<Static<R>> | Static<R>,
): ActionSchema {
  return implement(contract, cachedRead(runtime, contract, rule, handler));
}

/** The same for the part of an action that is worth keeping, where the answer is made of it afresh each time. */
export function cachedRead<P, C>(
  { broker, cache }: Room,
  { name }: Pick<ActionContract, "name">,
  rule: CacheRule<P, C>,
  read: (ctx: Ctx<P>) => Promise<C> | C,
): (ctx: Ctx<P>) => Promise<C> {
  const rules = cacheRulesOf(broker);
  rules.add(name, rule);
  const strategy = rule.invalidate_on !== undefined ? "event" : rule.tags !== undefined ? "tag" : "ttl";
  return async (ctx) => {
    const { params } = ctx;
    const key = `${name}:${rule.key(params, callerOf(ctx))}`;
    const around = (params as { after?: unknown }).after !== undefined || !rules.isFollowed(name);
    const answer = around
      ? { value: await read(ctx), state: "BYPASS" as const, age_s: 0 }
      : await cache.getOrCompute(key, termsOf(rule, params), () => read(ctx));
    tell(ctx, answer, strategy);
    return answer.value;
  };
}

/**
 * Ends values at once, for a writer who reads again right after its answer. Where this fails, the event of the write does it a
 * moment later.
 */
export async function endNow({ broker, cache }: Room, ...tags: readonly string[]): Promise<void> {
  await cache.invalidateTags(...tags).catch((error: unknown) => {
    broker.logger.debug(`${tags.join(", ")} did not end at once: ${String(error)}`);
  });
}

function termsOf<P, C>({ tags, ...rule }: CacheRule<P, C>, params: P): CacheTerms<C> {
  const { ttl_s, ttl_jitter, null_ttl_s } = rule;
  return {
    ttl_s,
    ...(ttl_jitter === undefined ? {} : { ttl_jitter }),
    ...(null_ttl_s === undefined ? {} : { null_ttl_s }),
    ...(tags === undefined ? {} : { tags: tags(params), tagsOf: (value: C) => tags(params, value) }),
  };
}

/** The gateway's own context is level 1; what an action calls for itself must not become headers of its caller's answer. */
const ASKED_FROM_OUTSIDE = 2;

function tell(ctx: Ctx<unknown>, { state, age_s }: CacheAnswer<unknown>, strategy: string): void {
  if (ctx.level > ASKED_FROM_OUTSIDE) return;
  const headers = { "X-Cache": state, "X-Cache-Strategy": strategy, Age: String(Math.floor(age_s)) };
  const meta = ctx.meta as { $responseHeaders?: Readonly<Record<string, string>> };
  meta.$responseHeaders = { ...meta.$responseHeaders, ...headers };
}
