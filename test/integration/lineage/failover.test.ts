import { randomUUID } from "node:crypto";
import { Pool } from "pg";
import { createActorHost } from "../../../mixins/actor/create-actor-host";
import { UnavailableError } from "../../../mixins/contract/refusal";
import { LogFeed } from "../../../mixins/event-feed/log-feed";
import { createEventLog } from "../../../mixins/event-log/postgres-event-log";
import type { ConsumerTimes } from "../../../mixins/projection/consumer";
import { startProjection } from "../../../mixins/projection/start-projection";
import { eventually } from "../../support/eventually";
import { command, unit } from "../../support/event-log.fixture";
import { startFailingPair, type FailingPair } from "../../support/failing-pair";
import { move, purseKind } from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";
import { TABLES, purseProjection, rowsFrom, rowsOf } from "../projection/purse-projection";

const TIMEOUT_MS = 20_000;
const TIMES: ConsumerTimes = { lazy_ms: 20, standby_ms: 20, still_ms_max: 500 };

let pair: FailingPair;
let pool: Pool;

beforeEach(async () => {
  pair = await startFailingPair();
  pool = new Pool(pair.connection);
  pool.on("error", () => undefined);
  await pool.query(TABLES);
});
afterEach(async () => {
  await pool.end();
  await pair.stop();
});

test("a standby that lacks the newest takes over under a living node: it goes on from what there is", async () => {
  const logger = new QuietLogger();
  const log = await createEventLog({ connection: pair.connection, logger });
  const feed = new LogFeed({ log, logger });
  const projection = await startProjection({ pool, feed, log, logger }, purseProjection, TIMES);
  const purses = createActorHost({ log, clock: { now: () => 0 }, logger }, purseKind);
  const ids = Array.from({ length: 3 }, () => `purse-${randomUUID()}`);
  for (let n = 0; n < 30; n += 1) await move(purses, ids[n % 3] ?? "", 1 + n);
  await projection.reached(30, TIMEOUT_MS);
  await pair.caughtUp();
  await pair.freezeStandby();
  for (let n = 0; n < 20; n += 1) await move(purses, ids[n % 3] ?? "", 100 + n);
  await projection.reached(50, TIMEOUT_MS);
  const lost = command();
  await log.append(unit({ [`test-${randomUUID()}`]: { at: 0 } }, { commands: [lost] }));

  await pair.failOver();
  // Fewer than were lost, then more: positions that were seen are given anew.
  for (let n = 0; n < 40; n += 1)
    await eventually(() => move(purses, ids[n % 3] ?? "", 1_000 + n), TIMEOUT_MS);
  const head = await log.head();
  expect(head).toBeGreaterThan(51);
  await eventually(async () => {
    await projection.reached(head, TIMEOUT_MS);
    expect(await rowsOf(pool)).toEqual(await rowsFrom(log));
  }, TIMEOUT_MS);
  expect(log.lineage.generation).toBeGreaterThan(0);
  expect(log.lineage.breaks[0]).toMatchObject({
    to: 51,
    timeline_before: "00000001",
    timeline_after: "00000002",
  });
  expect(log.lineage.breaks[0]?.after).toBeLessThanOrEqual(30);
  // What was acknowledged and lost is unknown, and nobody says that it was done.
  expect(await log.findAnswers([lost.id])).toEqual([]);
  await purses.stop();
  await projection.stop();
  await log.close();
}, 120_000);

test("a read of the server that died is not called safe by the one that took its place", async () => {
  const logger = new QuietLogger();
  const log = await createEventLog({ connection: pair.connection, logger });
  await log.append(unit({ [`test-${randomUUID()}`]: { at: 0 } }));
  await log.durable();
  await pair.caughtUp();
  await pair.freezeStandby();
  const { generation } = log.lineage;
  await log.append(unit({ [`test-${randomUUID()}`]: { at: 0 } }));
  await pair.failOver();
  await eventually(() => expect(log.lineage.generation).toBeGreaterThan(generation), TIMEOUT_MS);
  await expect(log.durable(generation)).rejects.toBeInstanceOf(UnavailableError);
  await eventually(() => log.durable(), TIMEOUT_MS);
  await log.close();
}, 120_000);
