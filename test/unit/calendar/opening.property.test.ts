import fc from "fast-check";
import {
  addDays,
  localDateOf,
  openInterval,
  zoneOf,
  type Schedule,
  type WallHours,
} from "../../../mixins/calendar/opening";
import { openState } from "../../../services/branch/opening-hours";
import { SlotCalendar } from "../../../services/slot/slot.calendar";
import { changesOf, YEARS, ZONES, type ZoneChange } from "../../support/zone-changes";
import { branchWith } from "../services/slot/kitchen";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Schedules tried at each place and time. */
const RUNS = 2;
/** Changes at midnight, of other lengths than an hour, twice a year more, or of the date line. */
const ODD = [
  ...[
    "Asia/Beirut",
    "Africa/Cairo",
    "America/Havana",
    "Atlantic/Azores",
    "America/Santiago",
    "America/Asuncion",
  ],
  ...["Antarctica/Troll", "Antarctica/Casey", "Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk"],
  ...[
    "Pacific/Chatham",
    "Pacific/Norfolk",
    "Asia/Gaza",
    "Asia/Tehran",
    "Europe/Berlin",
    "America/Scoresbysund",
  ],
];

/**
 * Opening hours spelled out from what the clocks show: a zone is a row of stretches of one offset, a time on the wall is every
 * instant that shows it. Another way than the calendar's own, which asks for the offset a day before and after.
 */
class Wall {
  readonly #stretches: readonly { from_ms: number; to_ms: number; offset_ms: number }[];

  constructor({ at_ms, before_ms, after_ms }: ZoneChange) {
    this.#stretches = [
      { from_ms: -Infinity, to_ms: at_ms, offset_ms: before_ms },
      { from_ms: at_ms, to_ms: Infinity, offset_ms: after_ms },
    ];
  }

  instant(date: string, time: string, which: "first" | "last"): number {
    const [hour = 0, minute = 0] = time.split(":").map(Number);
    const wall = Date.parse(`${date}T00:00:00Z`) + (hour * 60 + minute) * MINUTE;
    const shown = this.#stretches.flatMap(({ from_ms, to_ms, offset_ms }) => {
      const instant = wall - offset_ms;
      return instant >= from_ms && instant < to_ms ? [instant] : [];
    });
    // Never shown: as long after the change as the clock would have needed to get there.
    const skipped = wall - (this.#stretches[0]?.offset_ms ?? 0);
    return (which === "first" ? shown.at(0) : shown.at(-1)) ?? skipped;
  }

  /** Open in [opens, closes) on account of a date. */
  opening({ hours, holidays }: Schedule, date: string): [number, number] | undefined {
    const on = (day: string): WallHours | null => {
      const weekday = new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
      const holiday = holidays.find((one) => one.date === day);
      return holiday === undefined ? hours[String(weekday) as "1"] : holiday.hours;
    };
    const [today, next] = [on(date), addDays(date, 1)];
    if (today === null) return undefined;
    const opens = this.instant(date, today.open, "first");
    const ends = today.close === "24:00" || today.close === "00:00";
    const over_night = today.close <= today.open;
    const night = (): number =>
      Math.min(this.instant(next, today.close, "last"), this.instant(addDays(next, 1), "00:00", "first"));
    const closes = ends
      ? this.instant(next, "00:00", "first")
      : over_night
        ? night()
        : this.instant(date, today.close, "last");
    const tomorrow = on(next);
    const limit = tomorrow === null ? Infinity : this.instant(next, tomorrow.open, "first");
    const until = Math.min(closes, limit);
    return until > opens ? [opens, until] : undefined;
  }
}

const time = fc.integer({ min: 0, max: 95 }).map((quarter) => clock(quarter * 15));
const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const nightly = fc.record({
  open: time,
  close: fc.constantFrom("00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "03:00", "24:00"),
});
const anyHours = fc.oneof(
  { weight: 3, arbitrary: nightly },
  { weight: 2, arbitrary: fc.record({ open: time, close: time }) },
  { weight: 1, arbitrary: fc.constant({ open: "00:00", close: "24:00" }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

/** A week, and holidays around the change. */
function scheduleAround(date: string): fc.Arbitrary<Schedule> {
  const holiday = fc.record({
    date: fc.integer({ min: -2, max: 2 }).map((days) => addDays(date, days)),
    hours: anyHours,
  });
  return fc.record({
    hours: fc.record({
      "1": anyHours,
      "2": anyHours,
      "3": anyHours,
      "4": anyHours,
      "5": anyHours,
      "6": anyHours,
      "7": anyHours,
    }),
    holidays: fc.uniqueArray(holiday, { maxLength: 2, selector: (one) => one.date }),
  });
}

/** A branch's two answers to one question, and the right one. */
class Answers {
  readonly #branch: ReturnType<typeof branchWith>;
  readonly #calendar = new SlotCalendar();
  readonly #zone: ReturnType<typeof zoneOf>;
  readonly #wall: Wall;

  constructor(
    private readonly zone_name: string,
    private readonly change: ZoneChange,
    private readonly schedule: Schedule,
    private readonly slot_minutes: number,
  ) {
    this.#branch = branchWith({ ...schedule, slot_minutes }, { time_zone: zone_name });
    this.#zone = zoneOf(zone_name);
    this.#wall = new Wall(change);
  }

  expectOne(): void {
    const date = localDateOf(this.change.at_ms, this.#zone);
    const openings = [-3, -2, -1, 0, 1, 2, 3].flatMap((days) => this.#openingOn(addDays(date, days)));
    for (const at of momentsAround(this.change, openings)) this.#expectAt(at, openings);
  }

  #openingOn(date: string): [number, number][] {
    const expected = this.#wall.opening(this.schedule, date);
    const { opens_ms, closes_ms } = openInterval(this.schedule, date, this.#zone) ?? {};
    expect([this.zone_name, date, opens_ms, closes_ms]).toEqual([
      this.zone_name,
      date,
      expected?.[0],
      expected?.[1],
    ]);
    const [opens, closes] = expected ?? [0, 0];
    const { slots } = this.#calendar.day(this.#branch, date);
    const length = this.slot_minutes * MINUTE;
    const wanted = Array.from(
      { length: Math.floor((closes - opens) / length) },
      (_, n) => opens + n * length,
    );
    expect(slots.map(({ start_ms }) => start_ms).join()).toBe(wanted.join());
    return opens < closes ? [[opens, closes]] : [];
  }

  #expectAt(at: number, openings: readonly [number, number][]): void {
    const isOpen = openings.some(([opens, closes]) => at >= opens && at < closes);
    const state = this.#stateAt(at);
    const day = this.#calendar.dayAt(this.#branch, at);
    const sold = at >= day.opens_ms && at < day.closes_ms;
    const turn = state.closes_at ?? state.next_opening_at;
    const turn_ms = turn === null ? undefined : Date.parse(turn);
    const around =
      turn_ms === undefined
        ? [isOpen, !isOpen]
        : [turn_ms - 1, turn_ms].map((ms) => this.#stateAt(ms).open_now);
    const when = `${this.zone_name} ${new Date(at).toISOString()}`;
    expect([when, state.open_now, sold, ...around]).toEqual([when, isOpen, isOpen, isOpen, !isOpen]);
  }

  #stateAt(at: number): ReturnType<typeof openState> {
    return openState(this.schedule, this.zone_name, at);
  }
}

/** The moments at which something may change, and those just before them. */
const momentsAround = ({ at_ms }: ZoneChange, openings: readonly [number, number][]): number[] =>
  [at_ms, ...openings.flat()]
    .filter((turn) => Math.abs(turn - at_ms) < DAY)
    .flatMap((turn) => [turn - 1, turn]);

function oneAnswer(zone: string, year: number, numRuns: number): void {
  const changes = changesOf(zone, year);
  if (changes.length === 0) return;
  const around = fc
    .constantFrom(...changes)
    .chain((change) =>
      fc.tuple(
        fc.constant(change),
        scheduleAround(localDateOf(change.at_ms, zoneOf(zone))),
        fc.constantFrom(5, 15, 20, 60),
      ),
    );
  const property = fc.property(around, ([change, schedule, slot_minutes]) => {
    new Answers(zone, change, schedule, slot_minutes).expectOne();
  });
  fc.assert(property, { numRuns });
}

describe("who says that a branch is open and who sells its slots say the same, and what the clock on the wall says", () => {
  it.each(ODD)("at changes of clocks in %s", (zone) => {
    fc.assert(
      fc.property(fc.constantFrom(...YEARS), (year) => {
        oneAnswer(zone, year, RUNS);
      }),
      { numRuns: 4 },
    );
  });

  it("in every zone and year, some of them at each run", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.constantFrom(...YEARS), (zone, year) => {
        oneAnswer(zone, year, RUNS);
      }),
      { numRuns: 30 },
    );
  });
});
