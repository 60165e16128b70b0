/** A change of a zone's clocks: until `at_ms` they were `before_ms` ahead of UTC, from then on `after_ms`. */
export interface ZoneChange {
  readonly at_ms: number;
  readonly before_ms: number;
  readonly after_ms: number;
}

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(2020, 0, 1);
const LAST_MS = Date.UTC(2038, 0, 1);
/** Morocco changes twice around Ramadan, four weeks apart; nobody does so within ten days. */
const STEP_MS = 10 * DAY_MS;

/** Every zone that this runtime knows. */
export const ZONES: readonly string[] = Intl.supportedValuesOf("timeZone");

const known = new Map<string, readonly ZoneChange[]>();

/** The changes of a zone's clocks from 2020 to 2037, in order; read off what `Intl` shows, without the code under test. */
export function changesOf(zone: string): readonly ZoneChange[] {
  let changes = known.get(zone);
  if (changes === undefined) known.set(zone, (changes = found(zone)));
  return changes;
}

function found(zone: string): ZoneChange[] {
  const offset = offsetIn(zone);
  const changes: ZoneChange[] = [];
  for (let from = FIRST_MS; from < LAST_MS; from += STEP_MS) {
    const [before_ms, after_ms] = [offset(from), offset(from + STEP_MS)];
    if (before_ms === after_ms) continue;
    let [low, high] = [from, from + STEP_MS];
    while (high - low > 1_000) {
      const middle = Math.floor((low + high) / 2_000) * 1_000;
      if (offset(middle) === before_ms) low = middle;
      else high = middle;
    }
    changes.push({ at_ms: high, before_ms, after_ms });
  }
  return changes;
}

function offsetIn(zone: string): (instant_ms: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone: zone, hourCycle: "h23", era: "short", year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  return (instant_ms) => {
    const shown: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant_ms)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant_ms / 1_000) * 1_000;
  };
}
