import { frozenJson } from "../../../mixins/cache-tags/frozen-json";
import { keepingOf } from "../../../mixins/cache-tags/keeping";

describe("what is kept of a value", () => {
  const lifeOf = (value: unknown, terms: object) =>
    keepingOf({ ttl_s: 60, ...terms }, frozenJson(value))?.ttl_ms;
  const ttlOf = (terms: object) => lifeOf(1, terms);
  afterEach(() => jest.restoreAllMocks());

  it("lives as long as was said, at most a day", () => {
    expect([ttlOf({}), ttlOf({ ttl_s: 1e6 }), ttlOf({ ttl_s: 0 }), ttlOf({ ttl_s: Number.NaN })]).toEqual([
      60_000,
      86_400_000,
      undefined,
      undefined,
    ]);
  });

  it("lives shorter by a jitter, never longer", () => {
    const random = jest.spyOn(Math, "random");
    const lives = [0, 0.5, 0.999].map((chance) => {
      random.mockReturnValue(chance);
      return ttlOf({ ttl_jitter: 0.1 });
    });
    expect(lives).toEqual([60_000, 57_000, 54_006]);
  });

  it("is nothing of undefined and of what is too large, and null only where that is said", () => {
    expect([undefined, "x".repeat(1_000_001), null].map((value) => lifeOf(value, {}))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(lifeOf(null, { null_ttl_s: 5, tagsOf: (value: { x: string }) => [value.x] })).toBe(5_000);
  });
});
