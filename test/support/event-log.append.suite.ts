import { randomUUID } from "node:crypto";
import type { AppendUnit } from "../../mixins/event-log/event-log";
import { command, committedAt, name, unit, type Logs } from "./event-log.fixture";

/** What an append promises: order, versions, units whole or not at all. */
export function appendSuite({ open }: Logs): void {
  describe("append", () => {
    it("gives a stream versions from 1 and the log positions without a gap", async () => {
      const log = await open();
      const [stream, before] = [name(), await log.head()];
      expect(await log.append(unit({ [stream]: { at: 0, events: 2 } }))).toEqual({
        status: "committed",
        position: before + 2,
      });
      expect(await log.append(unit({ [stream]: { at: 2, events: 1 } }))).toEqual({
        status: "committed",
        position: before + 3,
      });
      const events = await log.readStream(stream);
      expect(events.map(({ version, position }) => [version, position - before])).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
      ]);
      expect(await log.readStream(stream, 2)).toEqual(events.slice(2));
      expect(await log.readAll(before, 100)).toEqual(events);
      expect(await log.readAll(before + 1, 1)).toEqual(events.slice(1, 2));
      expect(await log.head()).toBe(before + 3);
    });

    it("keeps an event as it was given", async () => {
      const log = await open();
      const stream_id = name();
      const data = {
        text: "Ёж \u0000 \ud800 \u001e \n 🍕 \\u0041 '\"",
        price_minor: 9_007_199_254_740_991,
        none: null,
        deep: [{ b: 1, a: [] }],
      };
      const meta = { actor: "system:test", correlation_id: randomUUID(), traceparent: "00-1-2-01" };
      await log.append({
        streams: [
          {
            stream_id,
            stream_type: "order",
            expected_version: 0,
            events: [{ type: "order.placed", schema_v: 3, data }],
          },
        ],
        commands: [],
        meta,
      });
      const [event] = await log.readStream(stream_id);
      expect(event).toMatchObject({
        stream_id,
        stream_type: "order",
        version: 1,
        type: "order.placed",
        schema_v: 3,
        data,
        meta,
      });
      expect(Object.keys((event?.data as typeof data).deep[0] ?? {})).toEqual(["b", "a"]);
      expect(event?.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(event?.recorded_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    });

    it("refuses a stream at another version, names it, and writes nothing", async () => {
      const log = await open();
      const [one, other] = [name(), name()];
      await log.append(unit({ [one]: { at: 0 } }));
      const before = await log.head();
      for (const at of [0, 2, 7])
        expect(await log.append(unit({ [other]: { at: 0 }, [one]: { at } }))).toEqual({
          status: "conflict",
          stream_id: one,
        });
      expect(await log.head()).toBe(before);
      expect(await log.readStream(other)).toEqual([]);
    });

    it("writes a unit over several streams in order, whole or not at all, beside others in the same batch", async () => {
      const log = await open();
      const [a, b, c, d] = [name(), name(), name(), name()];
      const outcomes = await Promise.all([
        log.append(unit({ [a]: { at: 0, events: 2 }, [b]: { at: 0, events: 3 } })),
        log.append(unit({ [c]: { at: 0 }, [name()]: { at: 1 } }, { commands: [command()] })),
        log.append(unit({ [d]: { at: 0, events: 2 } }, { commands: [command()] })),
      ]);
      const last = committedAt(outcomes[0]);
      expect(outcomes[1]).toMatchObject({ status: "conflict" });
      expect(outcomes[2]).toEqual({ status: "committed", position: last + 2 });
      const written = await log.readAll(last - 5, 10);
      expect(written.map((event) => [event.stream_id, event.version])).toEqual([
        [a, 1],
        [a, 2],
        [b, 1],
        [b, 2],
        [b, 3],
        [d, 1],
        [d, 2],
      ]);
      expect(await log.readStream(c)).toEqual([]);
    });

    it("commits units of one stream in the order of their calls", async () => {
      const log = await open();
      const stream = name();
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, at) => log.append(unit({ [stream]: { at } }))),
      );
      expect(outcomes.map((outcome) => outcome.status)).toEqual(Array<string>(20).fill("committed"));
    });

    it("keeps positions gapless and versions exclusive when several logs append to the same streams", async () => {
      const logs = [await open(), await open(), await open()] as const;
      const streams = Array.from({ length: 5 }, name);
      const before = await logs[0].head();
      const versions = new Map<string, number>();
      await Promise.all(
        logs.flatMap((log, at) =>
          Array.from({ length: 8 }, async (_, caller) => {
            for (let round = 0; round < 15; round += 1) {
              const stream = streams[(at + caller + round) % streams.length] ?? "";
              const outcome = await log.append(
                unit({ [stream]: { at: versions.get(stream) ?? 0 }, [name()]: { at: 0, events: 2 } }),
              );
              if (outcome.status === "committed")
                versions.set(
                  stream,
                  Math.max(versions.get(stream) ?? 0, (await log.readStream(stream)).length),
                );
              else versions.set(stream, (await log.readStream(stream)).length);
            }
          }),
        ),
      );
      const events = await logs[0].readAll(before, 1_000_000);
      expect(events.map(({ position }) => position)).toEqual(events.map((_, n) => before + n + 1));
      for (const stream of streams) {
        const own = events.filter((event) => event.stream_id === stream);
        expect(own.map(({ version }) => version)).toEqual(own.map((_, n) => n + 1));
      }
      expect(events.length % 3).toBe(0);
    });

    it("fails only the unit that the database cannot store", async () => {
      const log = await open();
      const [good, alsoGood, bad] = [name(), name(), name()];
      const spoilt: AppendUnit = {
        ...unit({}),
        streams: [
          {
            stream_id: bad,
            stream_type: "test",
            expected_version: 0,
            events: [{ type: "t", schema_v: 70_000, data: {} }],
          },
        ],
      };
      const outcomes = await Promise.allSettled([
        log.append(unit({ [good]: { at: 0 } })),
        log.append(spoilt),
        log.append(unit({ [alsoGood]: { at: 0 } })),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(await log.readStream(bad)).toEqual([]);
      expect(await log.readStream(alsoGood)).toHaveLength(1);
    });
  });
}
