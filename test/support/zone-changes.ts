/** A change of a zone's clocks: until `at_ms` they were `before_ms` ahead of UTC, from then on `after_ms`. */
export interface ZoneChange {
  readonly at_ms: number;
  readonly before_ms: number;
  readonly after_ms: number;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Morocco changes twice around Ramadan, four weeks apart; nobody does so sooner. */
const STEP_MS = 20 * DAY_MS;

/** Every zone that this runtime knows. */
export const ZONES: readonly string[] = Intl.supportedValuesOf("timeZone");
/** Of which the changes of clocks are looked at. */
export const YEARS: readonly number[] = Array.from({ length: 18 }, (_, n) => 2020 + n);

/** The changes of a zone's clocks in a year, in order; read off what `Intl` shows, without the code under test. */
export function changesOf(zone: string, year: number): ZoneChange[] {
  const offset = offsetIn(zone);
  const changes: ZoneChange[] = [];
  const end = Date.UTC(year + 1, 0, 1);
  let before_ms = offset(Date.UTC(year, 0, 1));
  for (let from = Date.UTC(year, 0, 1); from < end; from += STEP_MS) {
    const to = Math.min(from + STEP_MS, end);
    const after_ms = offset(to);
    if (after_ms !== before_ms) {
      const at_ms = turnBetween(from, to, (instant_ms) => offset(instant_ms) === before_ms);
      changes.push({ at_ms, before_ms, after_ms });
    }
    before_ms = after_ms;
  }
  return changes;
}

/** The first whole minute at which something ceases to hold. */
function turnBetween(from: number, to: number, holds: (instant_ms: number) => boolean): number {
  let [low, high] = [from, to];
  while (high - low > MINUTE_MS) {
    const middle = Math.floor((low + high) / 2 / MINUTE_MS) * MINUTE_MS;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return high;
}

function offsetIn(zone: string): (instant_ms: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  return (instant_ms) => {
    const [month = 1, day = 1, year = 0, ...time] = (format.format(instant_ms).match(/\d+/g) ?? []).map(
      Number,
    );
    const [hour = 0, minute = 0, second = 0] = time;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant_ms / 1_000) * 1_000;
  };
}
