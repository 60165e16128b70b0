import { PATIENCE, afterFailure, type Counter } from "../../../../services/auth/login-attempts";

const NOW = Date.parse("2026-03-01T10:00:00Z");
const fresh: Counter = { failures: 0, attempted_at: new Date(NOW), paused_until: null };

function pausesOf(failures: number): number[] {
  let counter = fresh;
  return Array.from({ length: failures }, () => {
    counter = afterFailure(counter, PATIENCE.pair, NOW);
    return counter.paused_until === null ? 0 : counter.paused_until.getTime() - NOW;
  });
}

describe("The pause after failed logins", () => {
  it("is none for the first five, then doubles from a second on", () => {
    expect(pausesOf(9)).toEqual([0, 0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000]);
  });

  it("ends growing at a quarter of an hour", () => {
    expect(pausesOf(200).at(-1)).toBe(15 * 60_000);
  });

  it("starts anew after a day of quiet", () => {
    const tried: Counter = {
      failures: 30,
      attempted_at: new Date(NOW - 24 * 3_600_000 - 1),
      paused_until: null,
    };
    expect(afterFailure(tried, PATIENCE.pair, NOW)).toEqual({
      failures: 1,
      attempted_at: new Date(NOW),
      paused_until: null,
    });
  });

  it("of a whole account or address stays short, because others share it", () => {
    expect(PATIENCE.account.pause_max_ms).toBeLessThanOrEqual(60_000);
    expect(PATIENCE.address.pause_max_ms).toBeLessThanOrEqual(5 * 60_000);
  });
});
