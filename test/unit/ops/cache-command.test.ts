import { ServiceBroker } from "moleculer";
import { cacheRulesOf } from "../../../mixins/cache-tags/cache-rules";
import { MemoryTagCache } from "../../../mixins/cache-tags/memory-tag-cache";
import { cacheCommand } from "../../../services/ops/cache-command";

describe("the operators' word for the cache", () => {
  const broker = new ServiceBroker({ logger: false });
  const cache = new MemoryTagCache();
  const ask = (what: string, tag?: unknown) => cacheCommand({ broker, cache }, what, tag);
  const read = () =>
    cache.getOrCompute("menu.sales:all", { ttl_s: 60, tags: ["sales", "7"] }, () => "anything");

  beforeAll(async () => {
    cacheRulesOf(broker).add("menu.sales", {
      ...{ key: () => "all", ttl_s: 60 },
      invalidate_on: { "sale.changed": () => ["sales"] },
    });
    await read();
  });

  it("shows what is cached, by name", async () => {
    expect(await ask("status")).toEqual([
      {
        ...{ name: "menu.sales", entries: 1, hits: 0, misses: 1, bypasses: 0 },
        ...{ ttl_s: 60, invalidate_on: "sale.changed" },
      },
    ]);
  });

  it("shows tags in use, and ends one", async () => {
    expect(await ask("tags")).toEqual([
      { tag: "sales", version: 0 },
      { tag: "7", version: 0 },
    ]);
    expect(await ask("invalidate", 7)).toContain("The tag 7 has ended");
    expect((await read()).state).toBe("MISS");
  });

  it("says how it is used", async () => {
    for (const answer of [ask("invalidate"), ask("everything"), ask("invalidate", true)])
      expect(await answer).toBe("cache status · cache tags · cache invalidate TAG");
  });
});
