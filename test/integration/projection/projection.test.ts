import { randomUUID } from "node:crypto";
import { createActorHost } from "../../../mixins/actor/create-actor-host";
import type { EventFeed } from "../../../mixins/event-feed/event-feed";
import { LogFeed } from "../../../mixins/event-feed/log-feed";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { claimsOf } from "../../../mixins/projection/claims";
import { CONSUMER_TIMES, type ConsumerTimes } from "../../../mixins/projection/consumer";
import { consumersOf, projectionStatus } from "../../../mixins/projection/consumer-registry";
import type { Projection, ProjectionHost, RebuildProgress } from "../../../mixins/projection/projection";
import { startProjection } from "../../../mixins/projection/start-projection";
import { write } from "../../support/event-feed.suite";
import { eventually } from "../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { move, purseKind, type PurseHost } from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";
import { TABLES, purseProjection, rowsFrom, rowsOf } from "./purse-projection";

const TIMEOUT_MS = 10_000;
/** A busy machine included; a look comes every 200 ms. */
const HAND_OVER_MS_MAX = 1_000;
const TIMES: ConsumerTimes = { lazy_ms: 20, standby_ms: 20, still_ms_max: 100 };

let database: TestDatabase;
let purses: PurseHost;
let logger: QuietLogger;
const running: { host: ProjectionHost; log: PostgresEventLog }[] = [];
let log: PostgresEventLog;

beforeAll(async () => {
  database = await startTestDatabase();
});
beforeEach(async () => {
  logger = new QuietLogger();
  await database.pool.query("drop table if exists purses, moves; delete from es.checkpoint");
  await database.pool.query(TABLES);
  log = await createEventLog({ connection: database.connection });
  purses = createActorHost({ log, clock: { now: () => 0 }, logger }, purseKind);
});
afterEach(async () => {
  await purses.stop();
  for (const { host, log: own } of running.splice(0)) {
    await host.stop();
    await own.close();
  }
  await log.close();
});
afterAll(async () => {
  await database.stop();
});

/** A projection on a node of its own. */
async function project(
  changes: Partial<Projection> = {},
  { times = TIMES, thaw }: { times?: ConsumerTimes; thaw?: Promise<unknown> } = {},
): Promise<ProjectionHost> {
  const own = await createEventLog({ connection: database.connection });
  const feed = new LogFeed({ log: own, logger });
  const host = await startProjection(
    { pool: database.pool, feed: thaw === undefined ? feed : frozen(feed, thaw), log: own, logger },
    { ...purseProjection, ...changes },
    times,
  );
  running.push({ host, log: own });
  return host;
}

/** A feed that delivers nothing before it is thawed: its node hangs. */
const frozen = (feed: EventFeed, thaw: Promise<unknown>): EventFeed => ({
  subscribe: (subscription) =>
    feed.subscribe({
      ...subscription,
      async onBatch(events, through) {
        await thaw;
        await subscription.onBatch(events, through);
      },
    }),
});

const statesOf = (): (string | undefined)[] =>
  running.map(({ log: node }) => consumersOf(node).get("purses")?.state);

/** Money goes to and fro between a few purses. */
async function moveMoney(count: number): Promise<number> {
  const ids = ["a", "b", "c"].map((name) => `purse-${name}-${randomUUID()}`);
  await Promise.all(Array.from({ length: count }, (_, n) => move(purses, ids[n % 3] ?? "", 1 + (n % 7))));
  return log.head();
}

const checkpoints = async (): Promise<number[]> => {
  const { rows } = await database.pool.query<{ pos: number }>(
    "select pos from es.checkpoint where name = 'purses'",
  );
  return rows.map(({ pos }) => pos);
};

async function expectRowsAsInLog(): Promise<void> {
  expect(await rowsOf(database.pool)).toEqual(await rowsFrom(log));
}

describe("a projection", () => {
  test("applies every event once, and goes on from its checkpoint", async () => {
    const host = await project();
    await host.reached(await moveMoney(200));
    await expectRowsAsInLog();
    await host.stop();
    const head = await moveMoney(100);
    const again = await project();
    expect(again.position).toBe(head - 100);
    await again.reached(head);
    await expectRowsAsInLog();
    expect(await checkpoints()).toEqual([head]);
  });

  test("applies a batch once when it dies between the rows and the checkpoint", async () => {
    let deaths = 0;
    const host = await project({
      async apply(events, tx) {
        await purseProjection.apply(events, tx);
        deaths += 1;
        if (deaths === 1) throw new Error("died");
        if (deaths === 2) await tx.query("select pg_terminate_backend(pg_backend_pid())");
      },
    });
    await host.reached(await moveMoney(50), TIMEOUT_MS);
    expect(deaths).toBeGreaterThan(2);
    await expectRowsAsInLog();
  });

  test("is shown only the events that it handles", async () => {
    const types = new Set<string>();
    const host = await project({
      apply(events, tx) {
        for (const { type } of events) types.add(type);
        return purseProjection.apply(events, tx);
      },
    });
    await write(log, 20);
    await host.reached(await moveMoney(5));
    expect([...types]).toEqual(["purse.moved"]);
    await expectRowsAsInLog();
  });

  test("moves its checkpoint past events without interest too, soon though not at once", async () => {
    const host = await project({
      apply: () => Promise.reject(new Error("nothing to apply")),
      handles: ["never"],
    });
    const head = await write(log, 30);
    await host.reached(head);
    await eventually(async () => {
      expect(await checkpoints()).toEqual([head]);
    });
    const last = await write(log, 1);
    await host.reached(last);
    await host.stop();
    expect(await checkpoints()).toEqual([last]);
  });

  test("says that it is behind when a read waits for too long", async () => {
    const slow = Promise.withResolvers<undefined>();
    const host = await project({
      apply: async (events, tx) => {
        await slow.promise;
        await purseProjection.apply(events, tx);
      },
    });
    const head = await moveMoney(1);
    await expect(host.reached(head, 20)).rejects.toMatchObject({
      name: "UnavailableError",
      type: "projection.behind",
    });
    slow.resolve(undefined);
    await host.reached(head);
  });

  test("does not wait for a position that nobody was told", async () => {
    const host = await project();
    const head = await moveMoney(1);
    await expect(host.reached(head + 1, 60_000)).rejects.toMatchObject({
      name: "RefusedError",
      type: "input.position_unknown",
    });
  });

  test("shows operators where it is", async () => {
    const host = await project();
    const head = await moveMoney(10);
    await host.reached(head);
    const [own] = running.map(({ log: node }) => node);
    expect(own && (await projectionStatus(own))).toEqual([
      { name: "purses", kind: "projection", state: "working", position: head, lag: 0 },
    ]);
    await host.stop();
    expect(own && consumersOf(own).size).toBe(0);
  });
});

describe("two hosts of one projection", () => {
  test("apply every event once: the one that comes second stands by, and its position follows", async () => {
    const hosts = [await project(), await project()];
    for (let round = 0; round < 10; round += 1) {
      const head = await moveMoney(20);
      await Promise.all(hosts.map((host) => host.reached(head, TIMEOUT_MS)));
    }
    await expectRowsAsInLog();
    expect(statesOf().sort()).toEqual(["standby", "working"]);
    expect(logger.having("standing by")).toHaveLength(1);
  });

  test("hand over at once when the one at work stops", async () => {
    const [active, standby] = [
      await project({}, { times: CONSUMER_TIMES }),
      await project({}, { times: CONSUMER_TIMES }),
    ];
    await standby.reached(await moveMoney(20));
    expect(statesOf()).toEqual(["working", "standby"]);
    // Another consumer of the same node goes on, and with it the session of their claims.
    const [node] = running;
    const other = { name: "other", look_ms: 60_000, saw: () => undefined };
    const claims = node && claimsOf({ pool: database.pool, log: node.log, logger });
    expect(await claims?.enter(other)).toBe(true);
    try {
      await active.stop();
      const stopped = performance.now();
      await standby.reached(await moveMoney(20), TIMEOUT_MS);
      expect(performance.now() - stopped).toBeLessThan(HAND_OVER_MS_MAX);
    } finally {
      await claims?.leave(other);
    }
    await expectRowsAsInLog();
  });

  test("one that stands by knows soon what the other has done, for those who wait for it", async () => {
    const slow = { ...CONSUMER_TIMES, standby_ms: 60_000 };
    const [, standby] = [await project(), await project({}, { times: slow })];
    await standby.reached(await moveMoney(5));
    await expectRowsAsInLog();
  });

  test("one takes over from another that hangs, which steps back when it wakes up", async () => {
    const thaw = Promise.withResolvers<undefined>();
    await project({}, { thaw: thaw.promise });
    const standby = await project();
    const head = await moveMoney(20);
    await standby.reached(head, TIMEOUT_MS);
    expect(logger.having("stands still")).toHaveLength(1);
    await standby.reached(await moveMoney(20), TIMEOUT_MS);
    thaw.resolve(undefined);
    await eventually(() => {
      expect(statesOf()).toEqual(["standby", "working"]);
    });
    await standby.reached(await moveMoney(20), TIMEOUT_MS);
    await expectRowsAsInLog();
  });

  test("work on when the session of their claims breaks, and settle on one again", async () => {
    const hosts = [await project(), await project()];
    for (let round = 0; round < 3; round += 1) {
      await database.pool.query(
        `select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
         where locktype = 'advisory' and application_name not like 'forno event log%' and pid <> pg_backend_pid()`,
      );
      const head = await moveMoney(20);
      await Promise.all(hosts.map((host) => host.reached(head, TIMEOUT_MS)));
    }
    await eventually(() => {
      expect(statesOf().sort()).toEqual(["standby", "working"]);
    });
    await expectRowsAsInLog();
  });

  test("take over from each other", async () => {
    const hosts = [await project(), await project()];
    await moveMoney(20);
    await eventually(() => {
      expect(logger.having("standing by").length).toBeGreaterThan(0);
    });
    const working = running.findIndex(
      ({ log: node }) => consumersOf(node).get("purses")?.state === "working",
    );
    await hosts[working]?.stop();
    await hosts[1 - working]?.reached(await moveMoney(20), TIMEOUT_MS);
    await expectRowsAsInLog();
  });

  test("a host whose database has lost its last moments goes on from what is left", async () => {
    const host = await project();
    await host.reached(await moveMoney(20));
    const left = await database.pool.query(
      "create table kept_purses as table purses; create table kept_moves as table moves",
    );
    expect(left).toBeDefined();
    const before = host.position;
    await host.reached(await moveMoney(20));
    await database.pool
      .query(`begin; truncate purses, moves; insert into purses table kept_purses; insert into moves table kept_moves;
      update es.checkpoint set pos = ${String(before)} where name = 'purses'; commit; drop table kept_purses, kept_moves`);
    await host.reached(await moveMoney(20), TIMEOUT_MS);
    await eventually(expectRowsAsInLog);
    expect(logger.having("the database has lost its last moments")).toHaveLength(1);
  });
});

describe("a rebuild", () => {
  const schemaOf = async (): Promise<unknown[]> => {
    const { rows } = await database.pool.query<object>(`select * from (
        select 'index' as what, indexname as name, indexdef as definition from pg_indexes where schemaname = 'public' and tablename ~ '^(purses|moves)'
        union all
        select contype::text, conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) from pg_constraint where conrelid::regclass::text ~ '^(purses|moves)'
        union all
        select 'partition', inhrelid::regclass::text, pg_get_expr(relpartbound, inhrelid) from pg_inherits join pg_class c on c.oid = inhrelid
          where inhparent = 'moves'::regclass
      ) s order by 1, 2, 3`);
    return rows;
  };

  test("comes to the same rows while money goes on moving, and the projection goes on after it", async () => {
    const host = await project();
    await host.reached(await moveMoney(3_000), TIMEOUT_MS);
    const schema = await schemaOf();
    expect(schema.length).toBeGreaterThan(10);
    await database.pool.query("update purses set balance = 0; delete from moves where version = 1");

    const progress: RebuildProgress[] = [];
    const moving = { on: true };
    const writers = (async () => {
      while (moving.on) await moveMoney(30);
    })();
    await host.rebuild((state) => progress.push(state));
    moving.on = false;
    await writers;

    await host.reached(await moveMoney(10), TIMEOUT_MS);
    await expectRowsAsInLog();
    expect(await schemaOf()).toEqual(schema);
    expect(progress.length).toBeGreaterThan(0);
    for (const { events, head, events_per_s, seconds_left } of progress) {
      expect(events).toBeLessThanOrEqual(head);
      expect(events_per_s).toBeGreaterThan(0);
      expect(seconds_left).toBeGreaterThanOrEqual(0);
    }
    const { rows } = await database.pool.query("select from pg_namespace where nspname like 'shadow%'");
    expect(rows).toHaveLength(0);
  });

  const shadows = async (): Promise<number> =>
    (await database.pool.query("select from pg_namespace where nspname like 'shadow%'")).rowCount ?? 0;
  /** The purses' projection that fails, or tells, when it is asked to fill a shadow. */
  const inShadow = (met: () => Promise<void>): Partial<Projection> => ({
    async apply(events, tx) {
      const { rows } = await tx.query<{ path: string }>("show search_path");
      if (JSON.stringify(rows).includes("shadow")) await met();
      await purseProjection.apply(events, tx);
    },
  });

  test("leaves no shadow behind when it fails", async () => {
    const host = await project(inShadow(() => Promise.reject(new Error("cannot"))));
    await host.reached(await moveMoney(10), TIMEOUT_MS);
    await expect(host.rebuild()).rejects.toThrow("cannot");
    expect(await shadows()).toBe(0);
    await expectRowsAsInLog();
  });

  test("leaves no shadow behind when its node stops meanwhile", async () => {
    const met = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    const host = await project(
      inShadow(async () => {
        met.resolve(undefined);
        await go.promise;
      }),
    );
    await host.reached(await moveMoney(10), TIMEOUT_MS);
    const ended = host.rebuild().catch((error: unknown) => error);
    await met.promise;
    const stopped = host.stop();
    go.resolve(undefined);
    await stopped;
    await ended;
    expect(await shadows()).toBe(0);
  });

  test("of a node that was killed goes at the next start", async () => {
    await database.pool.query("create schema shadow_purses; create table shadow_purses.purses (id integer)");
    const host = await project({});
    await host.reached(await moveMoney(10), TIMEOUT_MS);
    expect(await shadows()).toBe(0);
    await expectRowsAsInLog();
  });

  test("keeps partitions that were made while it ran", async () => {
    let made = false;
    const host = await project({
      async apply(events, tx) {
        await purseProjection.apply(events, tx);
        const { rows } = await tx.query<{ path: string }>("show search_path");
        if (made || !JSON.stringify(rows).includes("shadow")) return;
        made = true;
        await database.pool.query(
          "create table moves_later partition of moves for values from ('2199-01-01') to ('2199-02-01')",
        );
      },
    });
    await host.reached(await moveMoney(10), TIMEOUT_MS);
    await host.rebuild();
    expect(await schemaOf()).toContainEqual(
      expect.objectContaining({ what: "partition", name: "moves_later" }),
    );
    await expectRowsAsInLog();
  });

  test("mends a projection that is stuck on an event", async () => {
    let stuck = true;
    const host = await project({
      apply: (events, tx) =>
        stuck ? Promise.reject(new Error("cannot")) : purseProjection.apply(events, tx),
    });
    await moveMoney(10);
    await eventually(() => {
      expect(logger.having("fails on a batch").length).toBeGreaterThan(0);
    });
    stuck = false;
    await host.rebuild();
    await host.reached(await log.head(), TIMEOUT_MS);
    await expectRowsAsInLog();
  });

  test("runs on one node at a time", async () => {
    const hosts = [await project(), await project()];
    const head = await moveMoney(100);
    await Promise.all(hosts.map((host) => host.reached(head, TIMEOUT_MS)));
    const [first, same] = [hosts[0]?.rebuild(), hosts[0]?.rebuild()];
    const other = hosts[1]?.rebuild();
    expect(same).toBe(first);
    const outcomes = await Promise.allSettled([first, other]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await expectRowsAsInLog();
  });
});
