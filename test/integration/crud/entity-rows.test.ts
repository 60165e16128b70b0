import { randomUUID } from "node:crypto";
import type { CommandOutcome } from "../../../mixins/contract/implement";
import { isRefusal, refuse, type Refusal } from "../../../mixins/contract/refusal";
import { EntityRows, type Asked, type Entity, type RowStamps } from "../../../mixins/crud/entity-rows";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

jest.setTimeout(60_000);

interface Lamp extends RowStamps {
  readonly lamp_id: string;
  readonly serial: string;
  readonly color: string | null;
  readonly settings: unknown;
}

const entity: Entity<Lamp> = {
  name: "lamp",
  title: "lamp",
  table: "lamps",
  id: "lamp_id",
  fields: ["serial", "color", "settings"],
  json: ["settings"],
  unique: ["serial"],
  events: {
    create: "lamp.created",
    update: "lamp.updated",
    delete: "lamp.deleted",
    update_of: { settings: "lamp.settings.updated" },
    payload_fields: ["lamp_id", "serial"],
    key_fields: ["serial"],
  },
};

let database: TestDatabase;
let log: PostgresEventLog;
let lamps: EntityRows<Lamp>;
let now = Date.parse("2026-03-10T09:00:00.000Z");

beforeAll(async () => {
  database = await startTestDatabase();
  await database.pool.query(`create table lamps (
    lamp_id uuid primary key, serial text not null unique check (serial <> 'forbidden'), color text, settings json not null,
    version integer not null, created_at timestamptz not null, updated_at timestamptz not null)`);
  log = await createEventLog({ connection: database.connection, logger: { warn: () => undefined } });
  lamps = new EntityRows({ pool: database.pool, log, clock: { now: () => now } }, entity);
});
afterAll(async () => {
  await log.close();
  await database.stop();
});

const asked = (id: string = randomUUID(), fresh = true): Asked => ({
  command: { id, fingerprint: "f", ...(fresh ? { fresh: true as const } : {}) },
  meta: { actor: "somebody" },
});
const fields = (changes: object = {}) => ({
  lamp_id: randomUUID(),
  serial: randomUUID(),
  color: null,
  settings: { dim: 1 } as unknown,
  ...changes,
});
const rowOf = (outcome: CommandOutcome | Refusal): Lamp => {
  if (isRefusal(outcome)) throw new Error(outcome.code);
  return outcome.answer as Lamp;
};
const made = async (changes: object = {}): Promise<Lamp> =>
  rowOf(await lamps.create(fields(changes), asked()));
const codeOf = (outcome: object): string => (isRefusal(outcome) ? outcome.code : "not refused");
const eventsOf = async ({ lamp_id }: Pick<Lamp, "lamp_id">) =>
  (await log.readStream(`lamp-${lamp_id}`)).map(({ type, version, data }) => ({ type, version, data }));
const stored = async (lamp_id: string): Promise<Lamp> => {
  const row = await lamps.get(lamp_id);
  if (isRefusal(row)) throw new Error(row.code);
  return row;
};

it("a row and its event are there together, and the answer is the row as it is read", async () => {
  const lamp = await made({ settings: ["a", { b: "c" }] });
  expect(lamp).toMatchObject({
    version: 1,
    settings: ["a", { b: "c" }],
    created_at: "2026-03-10T09:00:00.000Z",
  });
  expect(await stored(lamp.lamp_id)).toEqual(lamp);
  expect(await eventsOf(lamp)).toEqual([
    { type: "lamp.created", version: 1, data: { lamp_id: lamp.lamp_id, serial: lamp.serial } },
  ]);
});

it("each change is an event, each kind of it one, and the version counts them", async () => {
  const { lamp_id, serial } = await made();
  now += 1_000;
  const wish = { serial: `${serial}+`, settings: { dim: 2 } };
  const outcome = await lamps.change(lamp_id, () => wish, asked());
  expect(rowOf(outcome)).toMatchObject({ ...wish, version: 3, updated_at: new Date(now).toISOString() });
  expect(outcome).toMatchObject({ position: await log.head() });
  expect(await stored(lamp_id)).toEqual(rowOf(outcome));
  const told = { lamp_id, serial: `${serial}+`, previous: { serial } };
  expect((await eventsOf({ lamp_id })).slice(1)).toEqual([
    { type: "lamp.updated", version: 2, data: { ...told, changed: ["serial"] } },
    { type: "lamp.settings.updated", version: 3, data: { ...told, changed: ["settings"] } },
  ]);
});

it("false, null and 0 can be set like anything else", async () => {
  const { lamp_id } = await made({ color: "red" });
  expect(rowOf(await lamps.change(lamp_id, () => ({ color: null, settings: 0 }), asked()))).toMatchObject({
    color: null,
    settings: 0,
  });
});

it("a change that changes nothing is no event and says the row as it is", async () => {
  const lamp = await made();
  const head = await log.head();
  now += 1_000;
  const outcome = await lamps.change(lamp.lamp_id, () => ({ settings: { dim: 1 } }), asked());
  expect(rowOf(outcome)).toEqual(lamp);
  expect(await log.head()).toBe(head);
});

it("a deleted row is gone, and its last event says what it was", async () => {
  const { lamp_id, serial } = await made();
  await lamps.delete(lamp_id, () => undefined, asked());
  expect(codeOf(await lamps.get(lamp_id))).toBe("lamp.unknown");
  expect((await eventsOf({ lamp_id })).at(-1)).toEqual({
    type: "lamp.deleted",
    version: 2,
    data: { lamp_id, serial },
  });
  expect(codeOf(await lamps.change(lamp_id, () => ({ color: "red" }), asked()))).toBe("lamp.unknown");
  expect(codeOf(await lamps.delete(lamp_id, () => undefined, asked()))).toBe("lamp.unknown");
});

it("what is refused or fails leaves neither row nor event", async () => {
  const lamp = await made();
  const head = await log.head();
  const refused = refuse("forbidden", "lamp.no", "No.");
  expect(codeOf(await lamps.change(lamp.lamp_id, () => refused, asked()))).toBe("lamp.no");
  expect(codeOf(await lamps.delete(lamp.lamp_id, () => refused, asked()))).toBe("lamp.no");
  await expect(lamps.create(fields({ serial: "forbidden" }), asked())).rejects.toThrow(/check constraint/);
  await expect(lamps.change(lamp.lamp_id, () => ({ serial: "forbidden" }), asked())).rejects.toThrow(/check/);
  expect(await log.head()).toBe(head);
  expect(await stored(lamp.lamp_id)).toEqual(lamp);
});

it("a transaction that is rolled back after its event was appended has published nothing", async () => {
  const lamp = await made();
  const head = await log.head();
  const heard: unknown[] = [];
  const stop = log.onCommitted((events) => void heard.push(...events));
  const broken = new EntityRows<Lamp>(
    {
      pool: database.pool,
      clock: { now: () => now },
      log: Object.assign(Object.create(log) as PostgresEventLog, {
        appendIn: async (...args: Parameters<PostgresEventLog["appendIn"]>) => {
          expect(await log.appendIn(...args)).toMatchObject({ status: "committed" });
          throw new Error("the node fails between its event and the commit");
        },
        findAnswers: log.findAnswers.bind(log),
      }),
    },
    entity,
  );
  await expect(broken.change(lamp.lamp_id, () => ({ color: "red" }), asked())).rejects.toThrow(
    /the node fails/,
  );
  await expect(broken.create(fields(), asked())).rejects.toThrow(/the node fails/);
  expect(await log.head()).toBe(head);
  expect(heard).toEqual([]);
  stop();
});

it("two rows cannot share what must be unique, whichever way they would come to it", async () => {
  const [one, two] = [await made(), await made()];
  expect(codeOf(await lamps.create(fields({ serial: one.serial }), asked()))).toBe("lamp.serial_taken");
  expect(codeOf(await lamps.change(two.lamp_id, () => ({ serial: one.serial }), asked()))).toBe(
    "lamp.serial_taken",
  );
  expect(codeOf(await lamps.create(fields({ lamp_id: one.lamp_id }), asked()))).toBe(
    "lamp.changed_meanwhile",
  );
});

it("of many that want the same at once, one gets it", async () => {
  const serial = randomUUID();
  const codes = await Promise.all(
    Array.from({ length: 8 }, async () => codeOf(await lamps.create(fields({ serial }), asked()))),
  );
  expect(codes.sort()).toEqual([...Array.from({ length: 7 }, () => "lamp.serial_taken"), "not refused"]);
  const others = await Promise.all(Array.from({ length: 6 }, () => made()));
  const wanted = randomUUID();
  const renamed = await Promise.all(
    others.map(async ({ lamp_id }) =>
      codeOf(await lamps.change(lamp_id, () => ({ serial: wanted }), asked())),
    ),
  );
  expect(renamed.sort()).toEqual([...Array.from({ length: 5 }, () => "lamp.serial_taken"), "not refused"]);
});

it("changes at once are done one after the other, and none is lost", async () => {
  const { lamp_id } = await made({ settings: 0 });
  await Promise.all(
    Array.from({ length: 10 }, () =>
      lamps.change(lamp_id, ({ settings }) => ({ settings: Number(settings) + 1 }), asked()),
    ),
  );
  expect(await stored(lamp_id)).toMatchObject({ settings: 10, version: 11 });
  expect(await eventsOf({ lamp_id })).toHaveLength(11);
});

it("who names the version that they have seen changes only that one", async () => {
  const { lamp_id } = await made();
  expect(codeOf(await lamps.change(lamp_id, () => ({ color: "red" }), asked(), 1))).toBe("not refused");
  expect(codeOf(await lamps.change(lamp_id, () => ({ color: "blue" }), asked(), 1))).toBe(
    "lamp.changed_meanwhile",
  );
  expect(codeOf(await lamps.delete(lamp_id, () => undefined, asked(), 1))).toBe("lamp.changed_meanwhile");
  expect(codeOf(await lamps.delete(lamp_id, () => undefined, asked(), 2))).toBe("not refused");
});

it("a repeated command gets its first answer and changes nothing again", async () => {
  const [id, row] = [randomUUID(), fields()];
  const first = await lamps.create(row, asked(id, false));
  await lamps.change(row.lamp_id, () => ({ color: "red" }), asked());
  expect(await lamps.create(row, asked(id, false))).toEqual({ ...first, replayed: true });
  expect(await stored(row.lamp_id)).toMatchObject({ color: "red", version: 2 });
});

it("a change under a key that changes nothing is done for good: repeated, it does not undo what came between", async () => {
  const { lamp_id } = await made({ color: "red" });
  const [id, head] = [randomUUID(), await log.head()];
  const wish = () => ({ color: "red" });
  const first = await lamps.change(lamp_id, wish, asked(id, false));
  expect(await log.head()).toBe(head);
  await lamps.change(lamp_id, () => ({ color: "blue" }), asked());
  expect(await lamps.change(lamp_id, wish, asked(id, false))).toEqual({ ...first, replayed: true });
  expect(await stored(lamp_id)).toMatchObject({ color: "blue", version: 2 });
});

it("pages go from the newest id on, by what is asked for", async () => {
  const color = randomUUID();
  const rows = await Promise.all(Array.from({ length: 5 }, () => made({ color })));
  await made({ color: "other" });
  const ids = rows.map(({ lamp_id }) => lamp_id).sort((a, b) => (a < b ? 1 : -1));
  const first = await lamps.page({ color }, null, 3);
  expect(first.map(({ lamp_id }) => lamp_id)).toEqual(ids.slice(0, 3));
  const rest = await lamps.page({ color: [color, "nothing"] }, ids[2] ?? "", 3);
  expect(rest.map(({ lamp_id }) => lamp_id)).toEqual(ids.slice(3));
  const [serial = "", other = ""] = rows.map((row) => row.serial);
  expect((await lamps.having("serial", [serial, other, "nobody's"])).map((row) => row.serial).sort()).toEqual(
    [serial, other].sort(),
  );
});
