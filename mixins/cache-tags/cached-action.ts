import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { ActionSchema } from "moleculer";
import type { Caller, Ctx } from "../contract/caller";
import type { ActionContract } from "../contract/contract";
import { callerOf, implement } from "../contract/implement";
import type { RecordedEvent } from "../event-log/event-log";
import type { Runtime } from "../runtime";
import { cacheRulesOf } from "./cache-rules";
import type { CacheAnswer, CacheTerms } from "./tag-cache";

/** What ends a kept answer first of all: its time, a tag that somebody invalidates, or an event of the log. */
export type CacheStrategy = "ttl" | "tag" | "event";

/** How the answers of a reading action are kept. All of them end with the tag that is named like the action. */
export interface CacheRule<P = never, C = never> {
  /** Everything that the answer depends on: parameters, and what of the caller makes a difference. */
  readonly key: (params: P, caller: Caller) => string;
  /** What stands before it in the cache; the action's name unless said. */
  readonly key_prefix?: string;
  readonly ttl_s: number;
  /** What readers are told; unless said, the most that the rest comes to. */
  readonly strategy?: CacheStrategy;
  /** Part of `ttl_s` (0 to 1) by which chance may shorten it. */
  readonly ttl_jitter?: number;
  /** Seconds for which a null is kept; not kept where this is not said. */
  readonly null_ttl_s?: number;
  /** Asked before the computation without a result, and after it with one: it may then name more. */
  readonly tags?: (params: P, result?: C) => readonly string[];
  /** Event types, and the tags that such an event ends. */
  readonly invalidate_on?: Readonly<Record<string, (event: RecordedEvent) => readonly string[]>>;
  /**
   * Event types, and what of the rule's keys such an event removes, as a pattern of `*` and `?`: an answer that has only ended
   * stays where it is kept, unserved, until its time is over. For what nobody may find there any more.
   */
  readonly remove_on?: Readonly<Record<string, (event: RecordedEvent) => string>>;
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
  room: Room,
  contract: Pick<ActionContract, "name">,
  rule: CacheRule<P, C>,
  read: (ctx: Ctx<P>) => Promise<C> | C,
): (ctx: Ctx<P>) => Promise<C> {
  const value = cachedValue(room, contract, rule);
  return async (ctx) => {
    const answer = await value(ctx.params, callerOf(ctx), () => read(ctx));
    tellCache(ctx, answer, strategyOf(rule));
    return answer.value;
  };
}

/** The same for whoever asks for many values in one call: nobody is told how they were come by. */
export function cachedValue<P, C>(
  { broker, cache }: Room,
  { name }: Pick<ActionContract, "name">,
  rule: CacheRule<P, C>,
): (params: P, caller: Caller, compute: () => Promise<C> | C) => Promise<CacheAnswer<C>> {
  const rules = cacheRulesOf(broker);
  rules.add(name, rule);
  const prefix = rule.key_prefix ?? name;
  return async (params, caller, compute) => {
    const around = (params as { after?: unknown }).after !== undefined || !rules.isFollowed(name);
    if (around) return { value: await compute(), state: "BYPASS", age_s: 0 };
    return cache.getOrCompute(`${prefix}:${rule.key(params, caller)}`, termsOf(name, rule, params), compute);
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

/** What `X-Cache-Strategy` says of a rule's answers. */
export function strategyOf({ strategy, invalidate_on, tags }: CacheRule): CacheStrategy {
  return strategy ?? (invalidate_on !== undefined ? "event" : tags !== undefined ? "tag" : "ttl");
}

function termsOf<P, C>(name: string, { tags, ...rule }: CacheRule<P, C>, params: P): CacheTerms<C> {
  const { ttl_s, ttl_jitter, null_ttl_s } = rule;
  return {
    ttl_s,
    ...(ttl_jitter === undefined ? {} : { ttl_jitter }),
    ...(null_ttl_s === undefined ? {} : { null_ttl_s }),
    tags: [name, ...(tags?.(params) ?? [])],
    ...(tags === undefined ? {} : { tagsOf: (value: C) => tags(params, value) }),
  };
}

/** The gateway's own context is level 1; what an action calls for itself must not become headers of its caller's answer. */
const ASKED_FROM_OUTSIDE = 2;

/** Says how an answer was come by, where it goes to a client over HTTP. */
export function tellCache(
  ctx: Ctx<unknown>,
  { state, age_s }: CacheAnswer<unknown>,
  strategy: CacheStrategy,
): void {
  if (ctx.level > ASKED_FROM_OUTSIDE) return;
  const headers = { "X-Cache": state, "X-Cache-Strategy": strategy, Age: String(Math.floor(age_s)) };
  const meta = ctx.meta as { $responseHeaders?: Readonly<Record<string, string>> };
  meta.$responseHeaders = { ...meta.$responseHeaders, ...headers };
}
