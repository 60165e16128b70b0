import { ServiceBroker } from "moleculer";
import { cachedRead, strategyOf, type CacheRule } from "../../../mixins/cache-tags/cached-action";
import { cacheRulesOf } from "../../../mixins/cache-tags/cache-rules";
import { MemoryTagCache } from "../../../mixins/cache-tags/memory-tag-cache";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { GUEST, type Caller, type CallMeta, type Ctx } from "../../../mixins/contract/caller";

interface Params {
  readonly shelf: string;
  readonly after?: number;
}
type Shelf = { readonly holds: string | null } | null;

/** What an action of the outermost level was answered, and with which headers. */
interface Answered {
  readonly value: Shelf;
  readonly headers: Readonly<Record<string, string>>;
}

describe("a cached action", () => {
  let now_ms: number;
  let cache: MemoryTagCache;
  let broker: ServiceBroker;
  let holds: string | null;
  let computed: number;
  const rule: CacheRule<Params, Shelf> = {
    key: ({ shelf }, { role }) => `${shelf}:${role}`,
    ttl_s: 60,
    tags: ({ shelf }, result) => [
      `shelf/${shelf}`,
      ...(result?.holds == null ? [] : [`thing/${result.holds}`]),
    ],
  };

  beforeEach(() => {
    now_ms = 0;
    computed = 0;
    holds = "flour";
    cache = new MemoryTagCache(() => now_ms);
    broker = new ServiceBroker({ logger: false, validator: false });
  });

  function reader(
    more: Partial<CacheRule<Params, Shelf>> = {},
    answer: () => Shelf = () => ({ holds }),
  ): (params: Params, meta?: CallMeta, level?: number) => Promise<Answered> {
    const read = cachedRead({ broker, cache }, { name: "shelf.look" }, { ...rule, ...more }, () => {
      computed += 1;
      return answer();
    });
    return async (params, meta = {}, level = 2) => {
      const ctx = { params, meta: { caller: GUEST, ...meta }, level } as unknown as Ctx<Params>;
      const value = await read(ctx);
      const { $responseHeaders = {} } = ctx.meta as { $responseHeaders?: Record<string, string> };
      return { value, headers: $responseHeaders };
    };
  }

  it("names what an event removes, by the whole of its keys, also where no event ends it", () => {
    reader({ remove_on: { "baker.left": ({ data }) => `*:${(data as { role: string }).role}` } });
    const rules = cacheRulesOf(broker);
    const [group] = rules.groups();
    const event = { type: "baker.left", data: { role: "cook" } } as RecordedEvent;
    expect(group?.handles).toEqual(["baker.left"]);
    expect(group?.endingOf(event)).toEqual({
      tags: [],
      patterns: ["shelf.look:*:cook"],
      actions: ["shelf.look"],
    });
    expect(rules.isFollowed("shelf.look")).toBe(false);
  });

  it("says where its answer is from, and how old it is in whole seconds", async () => {
    const look = reader();
    const strategy = { "X-Cache-Strategy": "tag" };
    expect(await look({ shelf: "a" })).toEqual({
      value: { holds: "flour" },
      headers: { "X-Cache": "MISS", ...strategy, Age: "0" },
    });
    now_ms = 2_999;
    expect((await look({ shelf: "a" })).headers).toEqual({ "X-Cache": "HIT", ...strategy, Age: "2" });
    now_ms = 59_999;
    expect((await look({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "HIT", Age: "59" });
    now_ms = 60_000;
    expect((await look({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "MISS", Age: "0" });
    expect(computed).toBe(2);
  });

  it("ends by a tag that only its value told, and by those of its parameters and its name", async () => {
    const look = reader();
    for (const tag of ["thing/flour", "shelf/a", "shelf.look"]) {
      await look({ shelf: "a" });
      expect((await look({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "HIT" });
      await cache.invalidateTags("thing/salt", "shelf/b", "shelf.other");
      expect((await look({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "HIT" });
      await cache.invalidateTags(tag);
      expect((await look({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "MISS" });
    }
  });

  it("tells callers apart as its key does", async () => {
    const look = reader();
    const cook: Caller = { role: "cook", user_id: "u", branch_ids: null };
    await look({ shelf: "a" });
    expect((await look({ shelf: "a" }, { caller: cook })).headers).toMatchObject({ "X-Cache": "MISS" });
    expect((await look({ shelf: "b" })).headers).toMatchObject({ "X-Cache": "MISS" });
  });

  it("goes around the cache for who knows of something newer, and keeps nothing of that", async () => {
    const look = reader();
    await look({ shelf: "a" });
    holds = "salt";
    expect(await look({ shelf: "a", after: 7 })).toMatchObject({
      value: { holds: "salt" },
      headers: { "X-Cache": "BYPASS", Age: "0" },
    });
    expect((await look({ shelf: "a" })).value).toEqual({ holds: "flour" });
  });

  it("keeps that there is nothing only where that is asked for, and so long", async () => {
    const without = reader({}, () => null);
    await without({ shelf: "a" });
    expect((await without({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "MISS" });
    broker = new ServiceBroker({ logger: false, validator: false });
    const kept = reader({ null_ttl_s: 5, key_prefix: "kept" }, () => null);
    await kept({ shelf: "a" });
    now_ms += 4_999;
    expect((await kept({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "HIT" });
    now_ms += 1;
    expect((await kept({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "MISS" });
  });

  it("serves nothing that its events may have ended, while nobody follows them", async () => {
    const look = reader({ invalidate_on: { "shelf.filled": () => ["shelf/a"] } });
    expect((await look({ shelf: "a" })).headers).toMatchObject({
      ...{ "X-Cache": "BYPASS", "X-Cache-Strategy": "event" },
    });
    const [group] = cacheRulesOf(broker).groups();
    cacheRulesOf(broker).followed(group?.name ?? "", true);
    await look({ shelf: "a" });
    expect((await look({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "HIT" });
    cacheRulesOf(broker).followed(group?.name ?? "", false);
    expect((await look({ shelf: "a" })).headers).toMatchObject({ "X-Cache": "BYPASS" });
  });

  it("says nothing of what was asked inside another request", async () => {
    const look = reader();
    expect((await look({ shelf: "a" }, {}, 3)).headers).toEqual({});
    expect((await look({ shelf: "a" }, {}, 1)).headers).toMatchObject({ "X-Cache": "HIT" });
  });

  it("is declared once", () => {
    reader();
    expect(() => reader()).toThrow("The action shelf.look is cached twice.");
  });
});

describe("what readers are told of a rule", () => {
  const bare: CacheRule = { key: () => "", ttl_s: 1 };
  const tags = () => [];

  it.each([
    ["ttl", bare],
    ["tag", { ...bare, tags }],
    ["event", { ...bare, tags, invalidate_on: {} }],
    ["ttl", { ...bare, tags, invalidate_on: {}, strategy: "ttl" as const }],
  ])("is %s", (strategy, rule) => {
    expect(strategyOf(rule)).toBe(strategy);
  });
});
