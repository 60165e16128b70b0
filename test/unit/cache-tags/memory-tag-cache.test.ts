import { MemoryTagCache } from "../../../mixins/cache-tags/memory-tag-cache";
import { tagCacheSuite } from "../../support/tag-cache.suite";

tagCacheSuite("memory", () => Promise.resolve(new MemoryTagCache()));

describe("a tagged cache in memory", () => {
  const MINUTE = { ttl_s: 60 };

  it("keeps a value exactly as long as was said", async () => {
    let now_ms = 0;
    const cache = new MemoryTagCache(() => now_ms);
    await cache.set("a", 1, MINUTE);
    now_ms = 59_999;
    expect(await cache.getOrCompute("a", MINUTE, () => 2)).toEqual({ value: 1, state: "HIT", age_s: 59.999 });
    now_ms = 60_000;
    expect(await cache.getOrCompute("a", MINUTE, () => 2)).toEqual({ value: 2, state: "MISS", age_s: 0 });
  });

  it("never holds more than it may, and keeps what is read", async () => {
    const cache = new MemoryTagCache(undefined, { entries_max: 10, chars_max: 1_000 });
    for (let n = 0; n < 100; n += 1) {
      await cache.set(`n:${String(n)}`, n, MINUTE);
      await cache.get("n:0");
    }
    expect((await cache.status()).entries).toBe(10);
    expect(await cache.get("n:0")).toBe(0);
    for (let n = 0; n < 100; n += 1) await cache.set(`n:${String(n)}`, "x".repeat(300), MINUTE);
    expect((await cache.status()).entries).toBe(3);
    await cache.set("large", "x".repeat(2_000), MINUTE);
    expect(await cache.get("large")).toBeUndefined();
  });

  it("forgets old invalidations only together with what they may have ended", async () => {
    const cache = new MemoryTagCache(undefined, { versions_max: 5 });
    await cache.set("old", 1, { ...MINUTE, tags: ["a"] });
    await cache.invalidateTags("a");
    for (let n = 0; n < 5; n += 1) await cache.invalidateTags(`t${String(n)}`);
    await cache.set("new", 1, { ...MINUTE, tags: ["a"] });
    expect([await cache.get("old"), await cache.get("new")]).toEqual([undefined, 1]);
  });
});
