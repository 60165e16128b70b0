import { randomUUID } from "node:crypto";
import { Type } from "@sinclair/typebox";
import { createActorHost } from "../../../mixins/actor/create-actor-host";
import { contract } from "../../../mixins/contract/contract";
import { strictObject } from "../../../mixins/contract/schemas";
import { UnavailableError } from "../../../mixins/contract/refusal";
import { LogFeed } from "../../../mixins/event-feed/log-feed";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { command, type ProcessHost, type ProcessManager } from "../../../mixins/process/process";
import { startProcess } from "../../../mixins/process/start-process";
import { Checkpoint } from "../../../mixins/projection/checkpoint";
import type { ConsumerTimes } from "../../../mixins/projection/consumer";
import { consumersOf } from "../../../mixins/projection/consumer-registry";
import type { ProjectionHost } from "../../../mixins/projection/projection";
import { startProjection } from "../../../mixins/projection/start-projection";
import { eventually } from "../../support/eventually";
import { putLogBack } from "../../support/log-going-back";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { balanceOf, move, purseKind, type PurseHost } from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";
import { TABLES, purseProjection, rowsFrom, rowsOf } from "../projection/purse-projection";

const TIMEOUT_MS = 10_000;
const NEVER_MS = 2_000_000;
const TIMES: ConsumerTimes = { lazy_ms: 20, standby_ms: 20, still_ms_max: 500 };

/** A node: a log of its own, a projection, a process manager that notes what it reacts to, and actors. */
interface Node {
  readonly log: PostgresEventLog;
  readonly projection: ProjectionHost;
  readonly process: ProcessHost;
  readonly purses: PurseHost;
  /** Ids of the commands that were sent, with the amounts that they came from. */
  readonly sent: Map<string, number>;
}

let database: TestDatabase;
let logger: QuietLogger;
/** Whoever is sent a command does not answer. */
let away = false;
const nodes: Node[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
});
beforeEach(async () => {
  logger = new QuietLogger();
  await putLogBack(database.pool, 0);
  await database.pool.query(
    "drop table if exists purses, moves; delete from es.checkpoint; delete from es.lineage_break",
  );
  await database.pool.query(TABLES);
});
afterEach(() => stopAll());
afterAll(() => database.stop());

const note = contract({
  name: "purse.note",
  summary: "Note what was moved",
  kind: "command",
  permission: "internal",
  params: strictObject({ amount: Type.Integer() }),
  result: strictObject({}),
});

const noting: ProcessManager = {
  name: "noting",
  handles: ["purse.moved"],
  react: ({ data }: RecordedEvent) => [command(note, { amount: (data as { amount: number }).amount })],
};

async function start({ look_every_ms = 50 } = {}): Promise<Node> {
  const { pool, connection } = database;
  const log = await createEventLog({ connection, look_every_ms, logger });
  const feed = new LogFeed({ log, logger });
  const sent = new Map<string, number>();
  const broker = {
    call(_name: string, params?: unknown, options?: unknown): Promise<unknown> {
      if (away) return Promise.reject(new UnavailableError("test.away", "Not just now."));
      const { command: of } = (options as { meta: { command: { id: string } } }).meta;
      sent.set(of.id, (params as { amount: number }).amount);
      return Promise.resolve({});
    },
  };
  const node: Node = {
    log,
    sent,
    projection: await startProjection({ pool, feed, log, logger }, purseProjection, TIMES),
    process: await startProcess({ pool, feed, log, logger, broker }, noting, TIMES),
    purses: createActorHost({ log, clock: { now: () => 0 }, logger }, purseKind),
  };
  nodes.push(node);
  return node;
}

async function stopAll(): Promise<void> {
  for (const { log, projection, process: manager, purses } of nodes.splice(0)) {
    await purses.stop();
    await projection.stop();
    await manager.stop();
    await log.close();
  }
}

async function expectAsInLog({ log, projection, process: manager }: Node): Promise<void> {
  const head = await log.head();
  await eventually(async () => {
    await projection.reached(head, TIMEOUT_MS);
    await manager.reached(head, TIMEOUT_MS);
    expect(await rowsOf(database.pool)).toEqual(await rowsFrom(log));
  }, TIMEOUT_MS);
}

const amountsIn = async (log: PostgresEventLog): Promise<number[]> =>
  (await log.readAll(0, 10_000)).map(({ data }) => (data as { amount: number }).amount);

test("a log that is put back under living consumers: all of them go on from what it holds", async () => {
  const node = await start();
  const ids = Array.from({ length: 4 }, () => `purse-${randomUUID()}`);
  for (let n = 0; n < 40; n += 1) await move(node.purses, ids[n % 4] ?? "", 1 + n);
  await expectAsInLog(node);
  const { name } = node.log.lineage;

  await putLogBack(database.pool, 25);
  await eventually(() => {
    expect(node.log.lineage.generation).toBe(1);
  });
  // The actors decide by what the log holds.
  expect(await balanceOf(node.purses, ids[0] ?? "")).toBe(1 + 5 + 9 + 13 + 17 + 21 + 25);
  for (let n = 0; n < 30; n += 1) await move(node.purses, ids[n % 4] ?? "", 1_000 + n);
  await expectAsInLog(node);
  await eventually(async () => {
    const reacted = new Set(node.sent.values());
    for (const amount of await amountsIn(node.log)) expect(reacted).toContain(amount);
  });
  expect(node.log.lineage.name).not.toBe(name);
  const [found] = node.log.lineage.breaks;
  expect(found).toMatchObject({ to: 40, head: 25 });
  expect(found?.after).toBeLessThanOrEqual(25);
  expect(found?.after).toBeGreaterThan(0);
});

test("two nodes: each finds it out, both call the log by one name", async () => {
  const [one, other] = [await start(), await start()];
  for (let n = 0; n < 20; n += 1) await move(one.purses, `purse-${randomUUID()}`, 1 + n);
  await expectAsInLog(one);
  await eventually(() => expect(other.projection.position).toBe(20));
  await putLogBack(database.pool, 10);
  for (let n = 0; n < 15; n += 1)
    await move(other.purses, `purse-${randomUUID()}`, 100 + n).catch(() => undefined);
  await eventually(() => {
    expect(one.log.lineage.generation).toBeGreaterThan(0);
    expect(other.log.lineage.generation).toBeGreaterThan(0);
    expect(one.log.lineage.name).toBe(other.log.lineage.name);
  });
  await expectAsInLog(one);
});

test("what a process manager has still to send because of a lost event is never sent", async () => {
  const node = await start();
  for (let n = 0; n < 3; n += 1) await move(node.purses, `purse-${randomUUID()}`, 1 + n);
  await expectAsInLog(node);
  away = true;
  // Many streams, so that several are on their way at once.
  for (let n = 0; n < 12; n += 1) await move(node.purses, `purse-${randomUUID()}`, 100 + n);
  await eventually(() => expect(logger.having("failed, again in").length).toBeGreaterThan(3));
  await putLogBack(database.pool, 3);
  await eventually(() => expect(node.log.lineage.generation).toBeGreaterThan(0));
  for (let n = 0; n < 15; n += 1)
    await eventually(() => move(node.purses, `purse-${randomUUID()}`, 1_000 + n), TIMEOUT_MS);
  away = false;
  await expectAsInLog(node);
  const inLog = new Set(await amountsIn(node.log));
  expect(new Set(node.sent.values())).toEqual(inLog);
});

/** Nobody looks by the clock: only the checkpoint's fence stands between the read model and another log's events. */
test("another event at the same position is fenced, also before anybody has looked", async () => {
  const node = await start({ look_every_ms: NEVER_MS });
  for (let n = 0; n < 12; n += 1) await move(node.purses, `purse-${randomUUID()}`, 1 + n);
  await expectAsInLog(node);
  await putLogBack(database.pool, 6);
  const writer = await createEventLog({ connection: database.connection, logger });
  const others = createActorHost({ log: writer, clock: { now: () => 0 }, logger }, purseKind);
  for (let n = 0; n < 8; n += 1) await move(others, `purse-${randomUUID()}`, 500 + n);
  await expectAsInLog(node);
  expect(node.log.lineage.generation).toBeGreaterThan(0);
  await others.stop();
  await writer.close();
});

test("the same events by their ids, written at another time, are other events", async () => {
  const node = await start({ look_every_ms: NEVER_MS });
  const purse = `purse-${randomUUID()}`;
  for (let n = 0; n < 10; n += 1) await move(node.purses, purse, 1 + n);
  await expectAsInLog(node);
  const ids = (await node.log.readAll(0, 100)).map(({ event_id }) => event_id);
  await putLogBack(database.pool, 4);
  const writer = await createEventLog({ connection: database.connection, logger });
  const others = createActorHost({ log: writer, clock: { now: () => 0 }, logger }, purseKind);
  for (let n = 0; n < 7; n += 1) await move(others, purse, 700 + n);
  expect((await writer.readAll(0, 100)).map(({ event_id }) => event_id).slice(0, 10)).toEqual(ids);
  await expectAsInLog(node);
  // What this node's actor remembers is the state of a version that now stands for other events.
  expect(await balanceOf(node.purses, purse)).toBe(1 + 2 + 3 + 4 + 7 * 700 + 21);
  await others.stop();
  await writer.close();
});

test("a checkpoint beyond the log's end, or at another event: the next start makes good what came of lost events", async () => {
  const first = await start();
  for (let n = 0; n < 30; n += 1) await move(first.purses, `purse-${randomUUID()}`, 1 + n);
  await expectAsInLog(first);
  await stopAll();
  await putLogBack(database.pool, 18);
  expect(await Checkpoint.diverged(database.pool)).toEqual(["process:noting", "purses"]);

  const beyond = await start();
  expect(consumersOf(beyond.log).get("purses")?.state).not.toBe("standby");
  await expectAsInLog(beyond);
  // Younger than the clocks of two servers may differ: it reacts to all of them again, under the same ids.
  await eventually(() =>
    expect(new Set(beyond.sent.values())).toEqual(new Set(Array.from({ length: 18 }, (_, n) => n + 1))),
  );
  for (const [id, amount] of beyond.sent) expect(first.sent.get(id)).toBe(amount);
  await stopAll();

  await putLogBack(database.pool, 10);
  const writer = await createEventLog({ connection: database.connection, logger });
  const others = createActorHost({ log: writer, clock: { now: () => 0 }, logger }, purseKind);
  for (let n = 0; n < 12; n += 1) await move(others, `purse-${randomUUID()}`, 900 + n);
  await others.stop();
  await writer.close();
  expect(await Checkpoint.diverged(database.pool)).toEqual(["process:noting", "purses"]);
  await expectAsInLog(await start());
  expect(await Checkpoint.diverged(database.pool)).toEqual([]);
});

test("who waits for a position while a read model is healed waits for the healing", async () => {
  const first = await start();
  for (let n = 0; n < 6; n += 1) await move(first.purses, `purse-${randomUUID()}`, 1 + n);
  await expectAsInLog(first);
  await stopAll();
  await putLogBack(database.pool, 3);
  const again = await start();
  await again.projection.reached(3, TIMEOUT_MS);
  expect(await rowsOf(database.pool)).toEqual(await rowsFrom(again.log));
});
