import { randomUUID } from "node:crypto";
import type { TagCache } from "../../mixins/cache-tags/tag-cache";
import { eventually } from "./eventually";

/** Computations that finish when the test says so. */
export class Gate<T = void> {
  readonly passed: Promise<T>;
  open!: (value: T) => void;
  constructor() {
    this.passed = new Promise((resolve) => (this.open = resolve));
  }
}

const MINUTE = { ttl_s: 60 };

/** What every tagged cache promises. `open` is called once; the cache is ready when it resolves. */
export function tagCacheSuite(name: string, open: () => Promise<TagCache>): void {
  describe(`${name} as a tagged cache`, () => {
    let cache: TagCache;
    let key: string;
    let tag: string;
    let computed: number;

    beforeAll(async () => {
      cache = await open();
    });
    beforeEach(() => {
      key = `thing:${randomUUID()}`;
      tag = `tag-${randomUUID()}`;
      computed = 0;
    });
    const count = (): number => ++computed;

    test("computes once, then answers from the cache", async () => {
      const first = await cache.getOrCompute(key, MINUTE, () => ({ n: count() }));
      expect(first).toEqual({ value: { n: 1 }, state: "MISS", age_s: 0 });
      const second = await cache.getOrCompute(key, MINUTE, () => ({ n: count() }));
      expect(second).toMatchObject({ value: { n: 1 }, state: "HIT" });
      expect(second.age_s).toBeGreaterThanOrEqual(0);
      expect(second.age_s).toBeLessThan(10);
      expect(await cache.get(key)).toEqual({ n: 1 });
    });

    test("gives the same JSON whether it was computed or kept, and nobody can change it", async () => {
      const make = () => ({ at: new Date(0), list: [1], gone: undefined }) as object;
      const values = [1, 2].map(async () => (await cache.getOrCompute(key, MINUTE, make)).value);
      for (const value of await Promise.all(values)) {
        expect(value).toEqual({ at: "1970-01-01T00:00:00.000Z", list: [1] });
        expect(() => (value as { list: number[] }).list.push(2)).toThrow(TypeError);
      }
    });

    test("forgets by the age of a value, however often it is read", async () => {
      await cache.getOrCompute(key, { ttl_s: 0.15 }, count);
      await eventually(async () => {
        expect((await cache.getOrCompute(key, { ttl_s: 0.15 }, count)).value).toBeGreaterThan(1);
      }, 2_000);
    });

    test("one invalidated tag ends every value that carries it, and no other", async () => {
      const keys = [1, 2, 3].map((n) => `${key}/${String(n)}`);
      for (const each of keys) await cache.getOrCompute(each, { ...MINUTE, tags: [tag, "other"] }, count);
      await cache.getOrCompute(key, { ...MINUTE, tags: [`${tag}x`] }, count);
      await cache.invalidateTags(tag);
      for (const each of keys)
        expect((await cache.getOrCompute(each, { ...MINUTE, tags: [tag] }, count)).state).toBe("MISS");
      expect((await cache.getOrCompute(key, MINUTE, count)).state).toBe("HIT");
    });

    test("tags may come from the value", async () => {
      const terms = { ...MINUTE, tagsOf: ({ branch }: { branch: string }) => [branch] };
      await cache.getOrCompute(key, terms, () => ({ branch: tag }));
      expect((await cache.getOrCompute(key, terms, () => ({ branch: tag }))).state).toBe("HIT");
      await cache.invalidateTags(tag);
      expect(await cache.get(key)).toBeUndefined();
    });

    test.each(["tag", "tag of the value", "key", "pattern"])(
      "what was computed before its %s was invalidated is not kept after it",
      async (what) => {
        const [begun, finish] = [new Gate(), new Gate()];
        const terms = what === "tag" ? { ...MINUTE, tags: [tag] } : { ...MINUTE, tagsOf: () => [tag] };
        const old = cache.getOrCompute(key, terms, async () => {
          begun.open();
          await finish.passed;
          return "old";
        });
        await begun.passed;
        if (what === "key") await cache.invalidate(key);
        else if (what === "pattern") await cache.invalidatePattern("nothing-is-called-so:*");
        else await cache.invalidateTags(tag);
        finish.open();
        expect((await old).value).toBe("old");
        expect(await cache.get(key)).toBeUndefined();
        expect((await cache.getOrCompute(key, terms, () => "new")).value).toBe("new");
      },
    );

    test("who asks after an invalidation does not get what a computation from before it brings", async () => {
      const [begun, finish] = [new Gate(), new Gate()];
      const terms = { ...MINUTE, tags: [tag] };
      const old = cache.getOrCompute(key, terms, async () => {
        begun.open();
        await finish.passed;
        return "old";
      });
      await begun.passed;
      await cache.invalidateTags(tag);
      const late = cache.getOrCompute(key, terms, () => "new");
      finish.open();
      expect((await old).value).toBe("old");
      expect((await late).value).toBe("new");
    });

    test("invalidates one key, and keys by pattern", async () => {
      const keys = ["a:1", "a:2", "b:1"].map((end) => `${key}:${end}`);
      for (const each of keys) await cache.set(each, each, MINUTE);
      await cache.invalidate(keys[0]!);
      expect(await cache.get(keys[0]!)).toBeUndefined();
      expect(await cache.invalidatePattern(`${key}:a:?`)).toBeGreaterThanOrEqual(1);
      expect(await Promise.all(keys.map((each) => cache.get(each)))).toEqual([undefined, undefined, keys[2]]);
      expect(await cache.invalidatePattern(`${key}:[ab]:*`)).toBe(0);
    });

    test("set replaces what is there, also what is being computed", async () => {
      const [begun, finish] = [new Gate(), new Gate()];
      await cache.set(key, 1, MINUTE);
      await cache.set(key, 2, MINUTE);
      expect(await cache.get(key)).toBe(2);
      await cache.invalidate(key);
      const slow = cache.getOrCompute(key, MINUTE, async () => {
        begun.open();
        await finish.passed;
        return 3;
      });
      await begun.passed;
      await cache.set(key, 4, MINUTE);
      finish.open();
      await slow;
      expect(await cache.get(key)).toBe(4);
    });

    test("ten thousand parallel misses make one computation", async () => {
      const answers = await Promise.all(
        Array.from({ length: 10_000 }, () =>
          cache.getOrCompute(key, { ...MINUTE, tags: [tag] }, async () => {
            await new Promise(setImmediate);
            return count();
          }),
        ),
      );
      expect(new Set(answers.map(({ value }) => value))).toEqual(new Set([1]));
    });

    test("an error goes to all who wait, and is not kept", async () => {
      const fail = () => {
        count();
        throw new Error("no kitchen");
      };
      const all = await Promise.allSettled([1, 2, 3].map(() => cache.getOrCompute(key, MINUTE, fail)));
      expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
      expect(computed).toBe(1);
      expect(await cache.getOrCompute(key, MINUTE, () => "fine")).toMatchObject({
        value: "fine",
        state: "MISS",
      });
    });

    test("undefined is never kept, null only where that is said", async () => {
      const twice = async (terms: object, value: unknown) => {
        await cache.getOrCompute(key, { ...MINUTE, ...terms }, () => value);
        return (await cache.getOrCompute(key, { ...MINUTE, ...terms }, () => value)).state;
      };
      expect(await twice({}, undefined)).toBe("MISS");
      expect(await twice({}, null)).toBe("MISS");
      expect(await twice({ null_ttl_s: 60 }, null)).toBe("HIT");
      expect(await cache.get(key)).toBeNull();
    });

    test("names may be long and hold anything", async () => {
      const wild = `${key}:${"ж".repeat(1_000)}\n\0`;
      await cache.getOrCompute(wild, { ...MINUTE, tags: [`${tag}\n${tag}`, wild] }, () => "kept");
      expect(await cache.get(wild)).toBe("kept");
      await cache.invalidateTags(tag);
      expect(await cache.get(wild)).toBe("kept");
      await cache.invalidateTags(wild);
      expect(await cache.get(wild)).toBeUndefined();
    });

    test("says what it did, by name", async () => {
      const family = `family-${randomUUID()}`;
      await cache.getOrCompute(`${family}:1`, { ...MINUTE, tags: [tag] }, count);
      await cache.getOrCompute(`${family}:1`, MINUTE, count);
      await cache.getOrCompute(`${family}:2`, MINUTE, count);
      const before = await cache.status();
      const { names } = before;
      expect(names).toContainEqual({ name: family, entries: 2, hits: 1, misses: 2, bypasses: 0 });
      await cache.invalidateTags(tag, `${tag}2`);
      expect((await cache.status()).invalidations).toBe(before.invalidations + 2);
      expect((await cache.tags()).map((each) => each.tag)).toContain(tag);
    });
  });
}
