import { cacheRulesOf } from "../../mixins/cache-tags/cache-rules";
import { strategyOf } from "../../mixins/cache-tags/cached-action";
import type { ResultOf } from "../../mixins/contract/contract";
import type { Runtime } from "../../mixins/runtime";
import type { nodeCache } from "./ops.contract";

/** What this node knows of its cached actions: those that it runs, and those whose values it can see. */
export async function nodeCacheFigures({
  broker,
  cache,
}: Pick<Runtime, "broker" | "cache">): Promise<ResultOf<typeof nodeCache>> {
  const { backend, up, names } = await cache.status();
  const rules = cacheRulesOf(broker);
  const figures = new Map(names.map((each) => [each.name, each]));
  const actions = [...new Set([...rules.all.keys(), ...figures.keys()])].sort().map((name) => {
    const { entries = 0, hits = 0, misses = 0, bypasses = 0 } = figures.get(name) ?? {};
    const rule = rules.all.get(name);
    const ended_ms = rules.endedAt(name);
    return {
      ...{ name, entries, hits, misses, bypasses },
      strategy: rule === undefined ? null : strategyOf(rule),
      ttl_s: rule?.ttl_s ?? null,
      ended_at: ended_ms === undefined ? null : new Date(ended_ms).toISOString(),
    };
  });
  return { scope: cache.scope, backend, up, actions };
}

/** `cache status`: what is cached, by name. `cache tags`: tags in use. `cache invalidate TAG`: ends what carries it. */
export async function cacheCommand(
  { broker, cache }: Pick<Runtime, "broker" | "cache">,
  what: unknown,
  tag: unknown,
): Promise<string | readonly object[]> {
  if (what === "status") {
    const { names } = await cache.status();
    const rules = cacheRulesOf(broker).all;
    return names.map((figures) => {
      const rule = rules.get(figures.name);
      const invalidate_on = Object.keys(rule?.invalidate_on ?? {}).join(", ");
      return { ...figures, ttl_s: rule?.ttl_s, invalidate_on };
    });
  }
  if (what === "tags") return cache.tags();
  // The prompt reads a tag of digits as a number.
  const named = typeof tag === "string" || typeof tag === "number" ? String(tag) : "";
  if (what !== "invalidate" || named === "") return "cache status · cache tags · cache invalidate TAG";
  await cache.invalidateTags(named);
  return `The tag ${named} has ended all values that carry it, on every node that shares this cache.`;
}
