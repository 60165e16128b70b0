import {
  PRESSURE_FROM,
  afterFailure,
  patienceOf,
  pressureAfter,
  pressureNow,
  type Counter,
  type Scope,
} from "../../../../services/auth/login-patience";

const NOW = Date.parse("2026-03-01T10:00:00Z");
const HOUR_MS = 3_600_000;
const SECOND = 1_000;
const fresh: Counter = { failures: 0, attempted_at: new Date(NOW), paused_until: null };

/** The pauses after so many failures in a row, in seconds. */
function pausesOf(scope: Scope, pressed: boolean, failures: number): number[] {
  let counter = fresh;
  return Array.from({ length: failures }, () => {
    counter = afterFailure(counter, patienceOf(scope, pressed), NOW);
    return counter.paused_until === null ? 0 : (counter.paused_until.getTime() - NOW) / SECOND;
  });
}

describe("The pause after failed logins", () => {
  it.each<[Scope, boolean, number, number]>([
    ["device", false, 5, 1],
    ["device", true, 5, 1],
    ["pair", false, 5, 1],
    ["pair", true, 0, 30],
    ["place", false, 10, 1],
    ["place", true, 2, 30],
    ["address", false, 30, 1],
    ["address", true, 30, 1],
    ["network", false, 100, 1],
    ["network", true, 100, 1],
  ])(
    "of a %s (account under pressure: %s) is none for %i failures, then %i s, doubling",
    (scope, pressed, free, first) => {
      const pauses = pausesOf(scope, pressed, free + 3);
      expect(pauses).toEqual([...Array<number>(free).fill(0), first, 2 * first, 4 * first]);
    },
  );

  it.each<[Scope, boolean, number]>([
    ["device", false, 15],
    ["pair", false, 15],
    ["pair", true, 60],
    ["place", true, 60],
    ["address", false, 15],
    ["network", false, 5],
  ])("of a %s (account under pressure: %s) ends growing at %i minutes", (scope, pressed, minutes) => {
    expect(pausesOf(scope, pressed, 200).at(-1)).toBe(minutes * 60);
  });

  it("starts anew after a day of quiet, and not a moment before", () => {
    const patience = patienceOf("pair", false);
    const tried = (ago_ms: number): Counter => ({
      ...{ failures: 30, attempted_at: new Date(NOW - ago_ms), paused_until: null },
    });
    expect(afterFailure(tried(24 * HOUR_MS + 1), patience, NOW)).toEqual({ ...fresh, failures: 1 });
    expect(afterFailure(tried(24 * HOUR_MS), patience, NOW).failures).toBe(31);
  });
});

describe("The pressure on an account", () => {
  const after = (counter: Counter, failures: number, now_ms = NOW): Counter =>
    Array.from({ length: failures }).reduce<Counter>((one) => pressureAfter(one, now_ms), counter);

  it("counts failures from wherever and pauses nobody", () => {
    const pressed = after(fresh, PRESSURE_FROM);
    expect(pressureNow(pressed, NOW)).toBe(PRESSURE_FROM);
    expect(pressed.paused_until).toBeNull();
  });

  it("forgives one an hour, whoever tries in between", () => {
    let counter = after(fresh, 3);
    for (const minutes of [50, 59]) {
      const at_ms = NOW + minutes * 60_000;
      expect(pressureNow(counter, at_ms)).toBe(3 + (minutes === 50 ? 0 : 1));
      counter = pressureAfter(counter, at_ms);
    }
    expect(pressureNow(counter, NOW + HOUR_MS)).toBe(4);
    expect(pressureNow(counter, NOW + 5 * HOUR_MS)).toBe(0);
    expect(pressureNow(counter, NOW + 9 * HOUR_MS)).toBe(0);
  });

  it("is over within a day, however much was tried", () => {
    const counter = after(fresh, 10_000);
    expect(pressureNow(counter, NOW + 24 * HOUR_MS)).toBeLessThan(PRESSURE_FROM);
  });
});
