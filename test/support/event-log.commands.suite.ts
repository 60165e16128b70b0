import { randomUUID } from "node:crypto";
import type { AppendUnit } from "../../mixins/event-log/event-log";
import { command, committedAt, name, unit, type Logs } from "./event-log.fixture";

/** What guards and command ids promise. */
export function commandSuite({ open }: Logs): void {
  describe("guards", () => {
    it("hold a unit to the version of a stream that it does not write", async () => {
      const log = await open();
      const [menu, order] = [name(), name()];
      const guarded = (expected_version: number): AppendUnit =>
        unit({ [order]: { at: 0 } }, { guards: [{ stream_id: menu, expected_version }] });
      expect(await log.append(guarded(1))).toEqual({ status: "conflict", stream_id: menu });
      await log.append(unit({ [menu]: { at: 0 } }));
      expect(await log.append(guarded(0))).toEqual({ status: "conflict", stream_id: menu });
      expect(await log.append(guarded(1))).toMatchObject({ status: "committed" });
      expect(await log.readStream(menu)).toHaveLength(1);
    });

    it("see what an earlier unit of the same moment wrote, and not what a later one writes", async () => {
      const log = await open();
      const [menu, early, late] = [name(), name(), name()];
      const guards = [{ stream_id: menu, expected_version: 0 }];
      const outcomes = await Promise.all([
        log.append(unit({ [early]: { at: 0 } }, { guards })),
        log.append(unit({ [menu]: { at: 0 } })),
        log.append(unit({ [late]: { at: 0 } }, { guards })),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["committed", "committed", "conflict"]);
    });
  });

  describe("commands", () => {
    it("are answered again as they were answered first, whatever the stream has come to", async () => {
      const log = await open();
      const [stream, once] = [name(), command(undefined, { z: 1, a: ["ё", null] })];
      const position = committedAt(
        await log.append(unit({ [stream]: { at: 0, events: 2 } }, { commands: [once] })),
      );
      const again = await log.append(
        unit({ [stream]: { at: 0 } }, { commands: [{ ...once, fingerprint: "other", answer: "late" }] }),
      );
      expect(again).toEqual({ status: "duplicate", answers: [{ ...once, position }] });
      expect(JSON.stringify(again.status === "duplicate" && again.answers[0]?.answer)).toBe(
        '{"z":1,"a":["ё",null]}',
      );
      expect(await log.findAnswers([once.id, randomUUID()])).toEqual([{ ...once, position }]);
      expect(await log.readStream(stream)).toHaveLength(2);
    });

    it("are done once when they come twice at the same moment, also through two logs", async () => {
      const [one, other] = [await open(), await open()];
      const once = command();
      const streams = [name(), name(), name(), name()];
      const outcomes = await Promise.all(
        streams.map((stream, at) =>
          (at % 2 === 0 ? one : other).append(unit({ [stream]: { at: 0 } }, { commands: [once] })),
        ),
      );
      const statuses = outcomes.map(({ status }) => status);
      expect(statuses.filter((status) => status === "committed")).toHaveLength(1);
      expect(statuses.filter((status) => status === "duplicate")).toHaveLength(3);
      const written = await Promise.all(streams.map((stream) => one.readStream(stream)));
      expect(written.flat()).toHaveLength(1);
    });

    it("make a duplicate of a unit of which one is known, with the answers that are known", async () => {
      const log = await open();
      const [stream, known, fresh] = [name(), command(), command()];
      const position = committedAt(await log.append(unit({ [stream]: { at: 0 } }, { commands: [known] })));
      expect(await log.append(unit({ [stream]: { at: 1 } }, { commands: [fresh, known] }))).toEqual({
        status: "duplicate",
        answers: [{ ...known, position }],
      });
      expect(await log.findAnswers([fresh.id])).toEqual([]);
    });

    it("may be answered without an event", async () => {
      const log = await open();
      const before = await log.head();
      const nothing = command();
      expect(await log.append(unit({}, { commands: [nothing] }))).toEqual({
        status: "committed",
        position: before,
      });
      expect(await log.append(unit({}, { commands: [nothing] }))).toMatchObject({ status: "duplicate" });
      expect(await log.head()).toBe(before);
    });
  });
}
