import { cacheRulesOf } from "../../mixins/cache-tags/cache-rules";
import type { Runtime } from "../../mixins/runtime";

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
