import { refuse } from "../../../../mixins/contract/refusal";
import { SlotCalendar } from "../../../../services/slot/slot.calendar";
import { branchClosed, full } from "../../../../services/slot/slot.refusals";
import { tryDays, type AskDay } from "../../../../services/slot/slot.tries";
import { at, branchWith, daily, draftOf, ms } from "./kitchen";

const PLACED = { answer: {}, position: 1, replayed: false };
const TOO_LARGE = refuse("unprocessable", "slot.order_too_large", "");

/** Tries an order; `answers` by business date, what is not named is placed. */
async function tried(
  now_ms: number,
  answers: Readonly<Record<string, Awaited<ReturnType<AskDay>>>>,
  { wish = null, rules = {} }: { wish?: string | null; rules?: Parameters<typeof branchWith>[0] } = {},
) {
  const asked: string[] = [];
  const offeredBefore: string[] = [];
  const outcome = await tryDays(
    new SlotCalendar(),
    branchWith(rules),
    draftOf("a", 1, { preferred_time: wish }),
    now_ms,
    {
      ask: (date) => {
        asked.push(date);
        return Promise.resolve(answers[date] ?? PLACED);
      },
      offers: (_wish, offered) => {
        offeredBefore.push(...offered);
        return Promise.resolve(["offer"]);
      },
    },
  );
  return { asked, offeredBefore, outcome, code: "code" in outcome ? outcome.code : "placed" };
}

describe("an order looks for its day", () => {
  it("and stays on the day of its wish when that has room", async () => {
    expect(await tried(ms("12:00"), {})).toMatchObject({ asked: ["2026-03-02"], code: "placed" });
    expect(await tried(ms("12:00"), {}, { wish: at("11:00", "2026-03-03") })).toMatchObject({
      asked: ["2026-03-03"],
    });
  });

  it("and goes on to the next one when that is full", async () => {
    expect(await tried(ms("12:00"), { "2026-03-02": full([]) })).toMatchObject({
      asked: ["2026-03-02", "2026-03-03"],
      code: "placed",
    });
  });

  it("and does not even ask a day that has no slots left", async () => {
    expect(await tried(ms("21:50"), {})).toMatchObject({ asked: ["2026-03-03"], code: "placed" });
  });

  it("and finds the night that is still open on yesterday's date", async () => {
    const rules = { hours: daily("10:00", "03:00") };
    expect(await tried(ms("01:30", "2026-03-03"), {}, { rules })).toMatchObject({
      asked: ["2026-03-02"],
      code: "placed",
    });
  });

  it("and is full only when all days within the preorder hours are, with times to offer", async () => {
    const found = await tried(ms("12:00"), { "2026-03-02": full([at("11:00")]), "2026-03-03": full([]) });
    expect(found).toMatchObject({
      code: "slot.full",
      offeredBefore: [at("11:00")],
      outcome: { data: { next_free: ["offer"] } },
    });
  });

  it("and is too large only when it is for every day", async () => {
    const first = { "2026-03-02": TOO_LARGE };
    expect((await tried(ms("12:00"), first)).code).toBe("placed");
    expect((await tried(ms("12:00"), { ...first, "2026-03-03": full([]) })).code).toBe("slot.full");
    expect((await tried(ms("12:00"), { ...first, "2026-03-03": branchClosed(24) })).code).toBe(
      "slot.order_too_large",
    );
  });

  it("and hears that the branch is closed when nothing opens within the preorder hours", async () => {
    const closed = { hours: { ...daily("10:00", "22:00"), 1: null, 2: null } };
    expect(await tried(ms("12:00"), {}, { rules: closed })).toMatchObject({
      asked: [],
      code: "slot.branch_closed",
    });
  });

  it("and is refused without asking anybody when its wish lies too far ahead", async () => {
    expect(await tried(ms("12:00"), {}, { wish: at("12:01", "2026-03-03") })).toMatchObject({
      asked: [],
      code: "order.time_too_far",
    });
  });

  it.each([
    [
      "open then, but its first slot lies beyond the preorder hours",
      "12:07",
      at("12:06", "2026-03-03"),
      {},
      "order.time_too_far",
    ],
    [
      "and the same at midnight, round the clock",
      "23:59",
      at("23:58", "2026-03-03"),
      { hours: daily("00:00", "24:00") },
      "order.time_too_far",
    ],
    ["and just before opening", "09:58", at("09:57", "2026-03-03"), {}, "order.time_too_far"],
    ["too late for the last slot of the day", "21:57", at("21:56", "2026-03-03"), {}, "slot.branch_closed"],
    ["closed then", "23:00", at("22:59", "2026-03-03"), {}, "slot.branch_closed"],
  ])("and hears why nothing starts for it: %s", async (_why, now, wish, rules, code) => {
    expect(await tried(ms(now), {}, { wish, rules })).toMatchObject({ asked: [], code });
  });

  it("and takes any other refusal as the last word", async () => {
    const booked = refuse("conflict", "slot.already_booked", "");
    expect(await tried(ms("12:00"), { "2026-03-02": booked })).toMatchObject({
      asked: ["2026-03-02"],
      code: "slot.already_booked",
    });
  });
});

describe("an order after closing time, 9:45 to 23:45 in Krasnoyarsk", () => {
  it.each([
    ["22:59", "2026-03-02"],
    ["23:01", "2026-03-03"],
    ["23:45", "2026-03-03"],
    ["23:46", "2026-03-03"],
    ["23:59", "2026-03-03"],
  ])("at %s gets a slot of %s", async (time, date) => {
    const calendar = new SlotCalendar();
    const branch = branchWith({ hours: daily("09:45", "23:45") }, { time_zone: "Asia/Krasnoyarsk" });
    const asked: string[] = [];
    const outcome = await tryDays(
      calendar,
      branch,
      draftOf("a", 1),
      Date.parse(`2026-03-02T${time}:00+07:00`),
      {
        ask: (asked_date) => {
          asked.push(asked_date);
          return Promise.resolve(PLACED);
        },
        offers: () => Promise.resolve([]),
      },
    );
    expect(outcome).toBe(PLACED);
    expect(asked).toEqual([date]);
  });
});
