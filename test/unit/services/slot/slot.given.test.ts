import type { ServiceBroker } from "moleculer";
import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import { branchStream, type Branch } from "../../../../services/branch/branch.events";
import { SlotCalendar } from "../../../../services/slot/slot.calendar";
import { kitchenDayStream } from "../../../../services/slot/slot.events";
import { createDayGiven } from "../../../../services/slot/slot.given";
import { MemoryLog } from "../../../support/memory-log";
import { BRANCH_ID, branchWith, daily, DATE, Kitchen, ms, place } from "./kitchen";

const STREAM = kitchenDayStream(BRANCH_ID, DATE);

/** A log that remembers what was read of it, and a broker that answers with the branch as it is at that moment. */
function world(branch: Branch) {
  const asked: (object | undefined)[] = [];
  const read: string[] = [];
  const log = new (class extends MemoryLog {
    override readStream(stream_id: string, after_version?: number): Promise<RecordedEvent[]> {
      read.push(stream_id);
      return super.readStream(stream_id, after_version);
    }
  })();
  const now = { branch };
  const call = (_name: string, params?: object): Promise<Branch> => {
    asked.push(params);
    return Promise.resolve(now.branch);
  };
  const given = createDayGiven({ broker: { call } as unknown as ServiceBroker, log }, new SlotCalendar());
  return { asked, read, log, now, given };
}

describe("what a kitchen-day is given", () => {
  it("is its branch, guarded at its version, and the day's grid under its rules", async () => {
    const { given, asked } = world(branchWith({ slot_minutes: 30 }, { version: 7 }));
    const { given: day, guards } = await given(STREAM, 0);
    expect(guards).toEqual([{ stream_id: branchStream(BRANCH_ID), expected_version: 7 }]);
    expect(day.grid).toMatchObject({ business_date: DATE, branch_id: BRANCH_ID });
    expect(day.grid.slots).toHaveLength(24);
    expect(asked).toEqual([{ branch_id: BRANCH_ID }]);
  });

  it("is read fresh after a conflict", async () => {
    const { given, asked } = world(branchWith());
    await given(STREAM, 1);
    expect(asked).toEqual([{ branch_id: BRANCH_ID, fresh: true }]);
  });

  it("is the very same from batch to batch, so that nothing is reckoned anew, until the branch changes", async () => {
    const { given, now, read } = world(branchWith());
    const first = await given(STREAM, 0);
    const second = await given(STREAM, 0);
    expect(second.given.grid).toBe(first.given.grid);
    expect(second.given.overhang).toBe(first.given.overhang);
    now.branch = branchWith({}, { version: 2 });
    const third = await given(STREAM, 0);
    expect(third.given.grid).not.toBe(first.given.grid);
    const neighbours = ["2026-03-01", "2026-03-03"].map((date) => kitchenDayStream(BRANCH_ID, date));
    expect(read).toEqual([...neighbours, ...neighbours]);
  });

  it("holds what the neighbouring days have promised, once the branch is known", async () => {
    const { given, log } = world(branchWith({ hours: daily("00:00", "24:00") }, { version: 2 }));
    const night = new Kitchen();
    night.accept(place("a", 70_000));
    log.write(
      ...night.history.map((event) => ({ ...event, stream_id: kitchenDayStream(BRANCH_ID, "2026-03-01") })),
    );
    const { overhang } = (await given(STREAM, 0)).given;
    expect(overhang.cells).toMatchObject([{ start_ms: ms("12:30"), load_minor: 70_000 }]);
    expect(overhang.lead_min_ms).toBe(30 * 60_000);
  });
});
