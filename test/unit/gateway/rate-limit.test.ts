import { RateLimiter, addressKey } from "../../../services/gateway/http/rate-limit";

describe("a rate limiter", () => {
  let now_ms: number;
  const limiter = (keys_max?: number) => new RateLimiter({ now: () => now_ms }, keys_max);
  beforeEach(() => {
    now_ms = 1_000;
  });

  it("gives a full bucket at once, then one token at a time", () => {
    const limit = limiter();
    for (let i = 0; i < 60; i++) expect(limit.take("a", 60)).toBe(0);
    expect(limit.take("a", 60)).toBeCloseTo(1);
    now_ms += 999;
    expect(limit.take("a", 60)).toBeGreaterThan(0);
    now_ms += 1;
    expect(limit.take("a", 60)).toBe(0);
    expect(limit.take("a", 60)).toBeCloseTo(1);
  });

  it("does not make a refused client wait longer for asking", () => {
    const limit = limiter();
    limit.take("a", 1);
    for (let i = 0; i < 100; i++) limit.take("a", 1);
    now_ms += 60_000;
    expect(limit.take("a", 1)).toBe(0);
  });

  it("counts each key on its own", () => {
    const limit = limiter();
    expect([limit.take("a", 1), limit.take("b", 1)]).toEqual([0, 0]);
  });

  it("never holds more keys than it may", () => {
    const limit = limiter(100);
    for (let i = 0; i < 1_000; i++) limit.take(String(i), 1);
    expect(limit.size).toBe(100);
    expect(limit.take("999", 1)).toBeGreaterThan(0);
  });
});

describe("what a client is counted by", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::9", "2001:db8:1:2"],
    ["2001:db8::9", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    [undefined, ""],
  ])("%s is %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
