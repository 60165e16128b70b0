import { randomUUID } from "node:crypto";
import { Type } from "@sinclair/typebox";
import { createActorHost } from "../../../mixins/actor/create-actor-host";
import type { CallMeta } from "../../../mixins/contract/caller";
import { contract } from "../../../mixins/contract/contract";
import { strictObject } from "../../../mixins/contract/schemas";
import { RefusedError, UnavailableError, orThrow, refuse } from "../../../mixins/contract/refusal";
import { LogFeed } from "../../../mixins/event-feed/log-feed";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { command, type ProcessHost, type ProcessManager } from "../../../mixins/process/process";
import { startProcess } from "../../../mixins/process/start-process";
import { projectionStatus } from "../../../mixins/projection/consumer-registry";
import { eventually } from "../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { balanceOf, move, purseKind, type PurseEvent, type PurseHost } from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";

const TIMEOUT_MS = 10_000;

const fill = contract({
  name: "purse.fill",
  summary: "Put money into a purse",
  kind: "command",
  permission: "internal",
  params: strictObject({ purse_id: Type.String(), amount: Type.Integer() }),
  result: strictObject({}),
});

interface Call {
  readonly name: string;
  readonly params: { readonly purse_id: string; readonly amount: number };
  readonly meta: CallMeta;
}

let database: TestDatabase;
let log: PostgresEventLog;
let purses: PurseHost;
let logger: QuietLogger;
let calls: Call[];
let answer: (call: Call) => Promise<unknown>;
let hosts: ProcessHost[];

beforeAll(async () => {
  database = await startTestDatabase();
  log = await createEventLog({ connection: database.connection });
});
afterAll(async () => {
  await log.close();
  await database.stop();
});
beforeEach(async () => {
  await database.pool.query("delete from es.checkpoint");
  logger = new QuietLogger();
  purses = createActorHost({ log, clock: { now: () => 0 }, logger }, purseKind);
  calls = [];
  hosts = [];
  answer = () => Promise.resolve({});
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.stop()));
  await purses.stop();
});

const broker = {
  call(name: string, params?: object, options?: object): Promise<unknown> {
    const call = { name, params, ...options } as Call;
    calls.push(call);
    return answer(call);
  },
};

/** Every payment puts a tenth aside, in a purse of the same name. Knows only purses whose name begins with `prefix`. */
const savings = (prefix: string): ProcessManager => ({
  name: "savings",
  handles: ["purse.moved"],
  react({ stream_id, data }: RecordedEvent) {
    const { amount } = data as PurseEvent["data"];
    return stream_id.startsWith(prefix)
      ? [command(fill, { purse_id: `saved-${stream_id}`, amount: amount / 10 })]
      : [];
  },
});

async function start(manager: ProcessManager): Promise<ProcessHost> {
  const feed = new LogFeed({ log, logger });
  const host = await startProcess({ pool: database.pool, feed, log, logger, broker }, manager, {
    lazy_ms: 20,
    standby_ms: 20,
    still_ms_max: 100,
  });
  hosts.push(host);
  return host;
}

const newPrefix = (): string => `purse-${randomUUID()}`;

test("every event leads to its commands, sent as the system under an id of their own", async () => {
  const prefix = newPrefix();
  const host = await start(savings(prefix));
  await move(purses, prefix, 50);
  await move(purses, `${prefix}-2`, 70);
  await host.reached(await log.head(), TIMEOUT_MS);
  expect(calls.map(({ name, params }) => ({ name, ...params }))).toEqual(
    expect.arrayContaining([
      { name: "purse.fill", purse_id: `saved-${prefix}`, amount: 5 },
      { name: "purse.fill", purse_id: `saved-${prefix}-2`, amount: 7 },
    ]),
  );
  expect(calls).toHaveLength(2);
  for (const { meta } of calls)
    expect(meta).toMatchObject({ caller: { role: "system" }, command: { fingerprint: "process:savings" } });
  expect(new Set(calls.map(({ meta }) => meta.command?.id)).size).toBe(2);
  expect(await projectionStatus(log)).toMatchObject([{ name: "process:savings", kind: "process", lag: 0 }]);
});

test("a replay from the beginning sends the same ids, and so does nothing new", async () => {
  const prefix = newPrefix();
  answer = async ({ params, meta }) => {
    if (meta.command === undefined) throw new Error("no identity");
    return orThrow(
      await purses.tell(params.purse_id, { kind: "move", amount: params.amount }, meta.command, {}),
    );
  };
  const host = await start(savings(prefix));
  for (const amount of [10, 20, 30]) await move(purses, prefix, amount);
  await host.reached(await log.head(), TIMEOUT_MS);
  const [head, sent] = [await log.head(), calls.map(({ meta }) => meta.command?.id)];
  expect(await balanceOf(purses, `saved-${prefix}`)).toBe(6);

  await host.stop();
  await database.pool.query("update es.checkpoint set pos = 0");
  await (await start(savings(prefix))).reached(head, TIMEOUT_MS);
  expect(calls.slice(3).map(({ meta }) => meta.command?.id)).toEqual(sent);
  expect(await log.head()).toBe(head);
  expect(await balanceOf(purses, `saved-${prefix}`)).toBe(6);
});

test("a refusal is logged and passed over", async () => {
  const prefix = newPrefix();
  answer = ({ params }) =>
    params.amount === 1
      ? Promise.reject(new RefusedError(refuse("conflict", "purse.closed", "It is closed.")))
      : Promise.resolve({});
  const host = await start(savings(prefix));
  await move(purses, prefix, 10);
  await move(purses, prefix, 20);
  await host.reached(await log.head(), TIMEOUT_MS);
  expect(calls.map(({ params }) => params.amount)).toEqual([1, 2]);
  expect(logger.having("purse.fill was refused: purse.closed")).toHaveLength(1);
});

test("a fault is tried again under the same id before anything later of its partition, while other partitions go on", async () => {
  const prefix = newPrefix();
  let failures = 2;
  answer = ({ params }) =>
    params.amount === 1 && failures-- > 0
      ? Promise.reject(new UnavailableError("log.unavailable", "gone"))
      : Promise.resolve({});
  for (const amount of [10, 20]) await move(purses, prefix, amount);
  const others = Array.from({ length: 40 }, (_, n) => `${prefix}-${String(n)}`);
  await Promise.all(others.map((purse) => move(purses, purse, 30)));
  const host = await start(savings(prefix));
  await host.reached(await log.head(), TIMEOUT_MS);
  const first = calls.filter(({ params }) => params.purse_id === `saved-${prefix}`);
  expect(first.map(({ params }) => params.amount)).toEqual([1, 1, 1, 2]);
  expect(new Set(first.slice(0, 3).map(({ meta }) => meta.command?.id)).size).toBe(1);
  // Others overtook the one that waited.
  const lastTry = calls.indexOf(first[2] as Call);
  expect(calls.slice(0, lastTry).filter(({ params }) => params.amount === 3).length).toBeGreaterThan(20);
});

test("commands of one stream go one after another, and only so many are under way at once", async () => {
  const prefix = newPrefix();
  let [underWay, most] = [0, 0];
  const busy = new Set<string>();
  answer = async ({ params }) => {
    expect(busy.has(params.purse_id)).toBe(false);
    busy.add(params.purse_id);
    most = Math.max(most, (underWay += 1));
    await new Promise(setImmediate);
    underWay -= 1;
    busy.delete(params.purse_id);
  };
  const ids = Array.from({ length: 30 }, (_, n) => `${prefix}-${String(n)}`);
  for (let round = 1; round <= 4; round += 1)
    await Promise.all(ids.map((id) => move(purses, id, 10 * round)));
  const host = await start(savings(prefix));
  await host.reached(await log.head(), TIMEOUT_MS);
  for (const id of ids)
    expect(
      calls.filter(({ params }) => params.purse_id === `saved-${id}`).map(({ params }) => params.amount),
    ).toEqual([1, 2, 3, 4]);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(8);
});

test("stopping does not wait for a fault to pass, and nothing is skipped by it", async () => {
  const prefix = newPrefix();
  answer = () => Promise.reject(new UnavailableError("log.unavailable", "gone"));
  const host = await start(savings(prefix));
  await move(purses, prefix, 10);
  await eventually(() => {
    expect(calls.length).toBeGreaterThan(0);
  });
  await host.stop();
  const failed = calls.length;
  answer = () => Promise.resolve({});
  await (await start(savings(prefix))).reached(await log.head(), TIMEOUT_MS);
  expect(calls.slice(failed).map(({ params }) => params.amount)).toEqual([1]);
});
