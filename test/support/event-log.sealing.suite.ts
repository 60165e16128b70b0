import { randomUUID } from "node:crypto";
import { KeyRegister } from "../../mixins/event-log/key-register";
import type { AppendUnit, NewEvent, RecordedEvent } from "../../mixins/event-log/event-log";
import { personalData, type PersonalData } from "../../mixins/event-log/personal-data";
import { eventually } from "./eventually";
import { LANE_LOCK, command, committedAt, name, type Logs } from "./event-log.fixture";

type Met = {
  readonly type: "guest.met";
  readonly data: {
    readonly user_id: string | null;
    readonly guest: { readonly name: string | null; readonly phone: string | null };
    readonly note: string | null;
    readonly cups: number;
  };
};
type Noted = { readonly type: "guest.noted"; readonly data: { readonly note: string } };

const NOBODY = { person_id: null, phone: null };
const personal: readonly PersonalData[] = [
  personalData<Met>("guest.met", ["guest.name", "guest.phone", "note"], ({ user_id, guest }) => ({
    person_id: user_id,
    phone: guest.phone,
  })),
  personalData<Noted>("guest.noted", ["note"], () => NOBODY),
];

const met = (rest: Partial<Met["data"]> = {}): Met => ({
  type: "guest.met",
  data: { user_id: null, guest: { name: "Zyxwana", phone: "+79007654321" }, note: null, cups: 2, ...rest },
});
const noted = (note: string): Noted => ({ type: "guest.noted", data: { note } });
const unitOf = (stream_id: string, at: number, events: readonly NewEvent[]): AppendUnit => ({
  streams: [{ stream_id, stream_type: "test", expected_version: at, events }],
  commands: [],
  meta: {},
});
const dataOf = (events: readonly RecordedEvent[]): unknown[] => events.map(({ data }) => data);

/** What sealing promises. */
export function sealingSuite({ database, open }: Logs): void {
  describe("what is personal", () => {
    const openSealing = () => open({ personal });
    const everything = async (): Promise<string> => {
      const { rows } = await database().pool.query<{ text: string }>(
        `select concat((select string_agg(e::text, ' ') from es.event e), (select string_agg(c::text, ' ') from es.command c),
           (select string_agg(k::text, ' ') from es.data_key k)) as text`,
      );
      return rows[0]?.text ?? "";
    };
    const erase = async (...stream_ids: string[]): Promise<string> => {
      const erasure_id = randomUUID();
      const client = await database().pool.connect();
      await new KeyRegister(database().pool).erase(client, stream_ids, erasure_id);
      client.release();
      return erasure_id;
    };
    const register = () => new KeyRegister(database().pool);

    it("is stored sealed and read in the clear, also by who hears of it from memory", async () => {
      const log = await openSealing();
      const [stream, event] = [name(), met({ note: "Zyxwdoor" })];
      const [heard, passed_on]: RecordedEvent[][] = [[], []];
      log.onCommitted((events) => heard?.push(...events));
      log.stored.onCommitted?.((events) => passed_on?.push(...events));
      const position = committedAt(await log.append(unitOf(stream, 0, [event])));
      expect(dataOf(await log.readStream(stream))).toEqual([event.data]);
      expect(await log.readAll(position - 1, 1)).toEqual(heard);
      expect(dataOf(heard ?? [])).toEqual([event.data]);
      const stored = await log.stored.readAll(position - 1, 1);
      expect(stored).toEqual(passed_on);
      expect(stored).toMatchObject([
        { data: { guest: { name: "erased", phone: "erased" }, note: "erased", cups: 2 } },
      ]);
      expect(await log.opened(stored)).toEqual(heard);
      expect(JSON.stringify(stored)).not.toMatch(/Zyxw|7654321/);
      expect(await everything()).not.toMatch(/Zyxw|7654321/);
    });

    it("is no part of an answer that the event carries, and is given again all the same", async () => {
      const log = await openSealing();
      const [stream, event] = [name(), met()];
      const once = command(undefined, event.data);
      const unit = { ...unitOf(stream, 0, [event]), commands: [once] };
      const position = committedAt(await log.append(unit));
      expect(await log.append(unit)).toEqual({ status: "duplicate", answers: [{ ...once, position }] });
      expect(await log.findAnswers([once.id])).toEqual([{ ...once, position }]);
      expect(await everything()).not.toMatch(/Zyxw|7654321/);
      await erase(stream);
      expect(await log.findAnswers([once.id])).toMatchObject([
        { answer: { guest: { name: "erased", phone: "erased" }, cups: 2 } },
      ]);
    });

    it("is gone with the key of its stream, in all events of that and in no other", async () => {
      const [log, other] = [await openSealing(), await openSealing()];
      const [stream, neighbour] = [name(), name()];
      await log.append(unitOf(stream, 0, [met(), noted("first")]));
      await log.append(unitOf(stream, 2, [noted("second")]));
      await log.append(unitOf(neighbour, 0, [met()]));
      await erase(stream);
      for (const reader of [log, other]) {
        const events = await reader.readStream(stream);
        expect(dataOf(events)).toEqual([
          { ...met().data, guest: { name: "erased", phone: "erased" } },
          { note: "erased" },
          { note: "erased" },
        ]);
        expect(dataOf(await reader.readStream(neighbour))).toEqual([met().data]);
      }
    });

    it("is not kept of a stream whose key is gone, whoever adds it", async () => {
      const log = await openSealing();
      const stream = name();
      await log.append(unitOf(stream, 0, [met()]));
      await erase(stream);
      const heard: RecordedEvent[] = [];
      log.onCommitted((events) => heard.push(...events));
      committedAt(await log.append(unitOf(stream, 1, [noted("Zyxwlate")])));
      expect(dataOf(heard)).toEqual([{ note: "erased" }]);
      expect(dataOf(await log.readStream(stream, 1))).toEqual([{ note: "erased" }]);
      expect(await everything()).not.toContain("Zyxwlate");
    });

    it("does not slip in with a key that is deleted on the way: the unit is a conflict", async () => {
      const log = await openSealing();
      const stream = name();
      await log.append(unitOf(stream, 0, [met()]));
      const holder = await database().pool.connect();
      await holder.query("begin");
      await holder.query(LANE_LOCK);
      const late = log.append(unitOf(stream, 1, [noted("Zyxwlate")]));
      await waitsForTheLane();
      await erase(stream);
      await holder.query("rollback");
      holder.release();
      expect(await late).toEqual({ status: "conflict", stream_id: stream });
      committedAt(await log.append(unitOf(stream, 1, [noted("Zyxwlate")])));
      expect(dataOf(await log.readStream(stream, 1))).toEqual([{ note: "erased" }]);
    });

    it("gets a key with the first event that needs one, and no unit that is refused leaves one", async () => {
      const log = await openSealing();
      const [stream, clash] = [name(), name()];
      const plain = { guest: { name: null, phone: null }, note: null };
      await log.append(unitOf(stream, 0, [met(plain)]));
      expect(await keys(stream)).toEqual([]);
      await log.append(unitOf(stream, 1, [noted("now")]));
      expect(await keys(stream)).toHaveLength(1);
      await log.append(unitOf(clash, 0, [met(plain)]));
      expect(await log.append(unitOf(clash, 0, [met()]))).toMatchObject({ status: "conflict" });
      expect(await keys(clash)).toEqual([]);
      expect(dataOf(await log.readStream(stream))).toEqual([met(plain).data, { note: "now" }]);
    });

    it("is sealed in a caller's own transaction as well, and rolled back with it", async () => {
      const log = await openSealing();
      const stream = name();
      for (const end of ["rollback", "commit"]) {
        const client = await database().pool.connect();
        await client.query("begin");
        expect(await log.appendIn(client, unitOf(stream, 0, [met()]))).toMatchObject({ status: "committed" });
        await client.query(end);
        client.release();
        expect(await keys(stream)).toHaveLength(end === "commit" ? 1 : 0);
      }
      expect(dataOf(await log.readStream(stream))).toEqual([met().data]);
      expect(await everything()).not.toMatch(/Zyxw|7654321/);
    });

    it("is filed under the account and the phone that it is about, until it is erased", async () => {
      const log = await openSealing();
      const [user_id, phone] = [randomUUID(), `+7${String(Date.now())}`];
      const guest = { name: null, phone };
      const [both, phoned, signed_in] = [name(), name(), name()].sort();
      await log.append(unitOf(both ?? "", 0, [met({ user_id, guest })]));
      await log.append(unitOf(phoned ?? "", 0, [met({ guest })]));
      await log.append(unitOf(signed_in ?? "", 0, [met({ user_id, guest: { name: "N", phone: null } })]));
      expect(await register().streamsOf({ person_id: user_id, phone: null })).toEqual([both, signed_in]);
      expect(await register().streamsOf({ person_id: null, phone })).toEqual([both, phoned]);
      expect(await register().streamsOf({ person_id: user_id, phone })).toEqual([both, phoned, signed_in]);
      const erasure_id = await erase(both ?? "", phoned ?? "");
      expect(await register().streamsOf({ person_id: user_id, phone })).toEqual([signed_in]);
      // Again: what is gone stays with the erasure that it went by.
      const again = await erase(both ?? "");
      expect(await pagesOf(erasure_id)).toEqual([both, phoned]);
      expect(await pagesOf(again)).toEqual([]);
      const { rows } = await database().pool.query(
        "select 1 from es.data_key where stream_id = any ($1) and num_nonnulls(key, person_id, phone_digest) > 0",
        [[both, phoned]],
      );
      expect(rows).toEqual([]);
    });

    it("stays erased in the clear where what was sealed is damaged, and says so", async () => {
      const complaints: string[] = [];
      const log = await open({ personal, logger: { warn: (message) => complaints.push(message) } });
      const stream = name();
      await log.append(unitOf(stream, 0, [met()]));
      await database().pool.query("update es.data_key set key = sha256('other') where stream_id = $1", [
        stream,
      ]);
      expect(await log.readStream(stream)).toMatchObject([{ data: { guest: { name: "erased" }, cups: 2 } }]);
      expect(complaints).toEqual([expect.stringContaining(`${stream}@1`)]);
    });

    const keys = async (stream_id: string): Promise<unknown[]> =>
      (
        await database().pool.query<object>(
          "select 1 from es.data_key where stream_id = $1 and key is not null",
          [stream_id],
        )
      ).rows;

    async function pagesOf(erasure_id: string): Promise<string[]> {
      const streams: string[] = [];
      for await (const page of register().erasedBy(erasure_id)) streams.push(...page);
      return streams;
    }

    async function waitsForTheLane(): Promise<void> {
      const waiting = "select 1 from pg_locks where locktype = 'advisory' and classid = 7461 and not granted";
      await eventually(async () => expect((await database().pool.query(waiting)).rowCount).toBe(1));
    }
  });
}
