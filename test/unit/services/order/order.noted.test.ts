import { LocalNotes } from "../../../../services/order/order.noted";

let now_ms: number;
beforeEach(() => {
  now_ms = 1_000;
});
const clock = { now: () => now_ms };
const MINUTE = { key: "here", kept_ms: 60_000 };
const noted = async (notes: LocalNotes, id: string, place = MINUTE) => (await notes.note([place], id, 7))[0];

describe("the notes of one node", () => {
  it("tell what was noted at a place before, and how long ago", async () => {
    const notes = new LocalNotes(clock);
    expect(await noted(notes, "a")).toEqual([]);
    now_ms += 5;
    expect(await noted(notes, "b")).toEqual([{ order_id: "a", total_minor: 7, at_ms: 1_000, age_ms: 5 }]);
    expect(await noted(notes, "c", { key: "there", kept_ms: 60_000 })).toEqual([]);
  });

  it("forget after the time of the place, and what they are told to", async () => {
    const notes = new LocalNotes(clock);
    await noted(notes, "a");
    now_ms += 59_999;
    expect(await noted(notes, "b")).toHaveLength(1);
    now_ms += 1;
    expect((await noted(notes, "c"))?.map(({ order_id }) => order_id)).toEqual(["b"]);
    notes.forget([MINUTE], "b");
    expect((await noted(notes, "d"))?.map(({ order_id }) => order_id)).toEqual(["c"]);
    for (const id of ["c", "d"]) notes.forget([MINUTE], id);
    expect(notes.size).toBe(0);
  });

  it("hold no more orders of a place and no more places than they may", async () => {
    const notes = new LocalNotes(clock, 10);
    for (let n = 0; n < 300; n += 1) await noted(notes, `order ${String(n)}`);
    expect(await noted(notes, "last")).toHaveLength(200);
    for (let n = 0; n < 50; n += 1) await noted(notes, "a", { key: String(n), kept_ms: 60_000 });
    expect(notes.size).toBe(10);
    expect(await noted(notes, "b", { key: "49", kept_ms: 60_000 })).toHaveLength(1);
    expect(await noted(notes, "b")).toEqual([]);
  });
});
