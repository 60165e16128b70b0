import { randomUUID } from "node:crypto";
import { createActorHost } from "../../../mixins/actor/create-actor-host";
import type { CommandIdentity } from "../../../mixins/contract/caller";
import { settle, type CommandOutcome } from "../../../mixins/contract/implement";
import { refuse, type Refusal } from "../../../mixins/contract/refusal";
import { EntityRows, type Entity, type RowStamps } from "../../../mixins/crud/entity-rows";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import type { Runtime } from "../../../mixins/runtime";
import { daysAhead, ensureDays } from "../../../services/camera/event-days";
import { EventStore } from "../../../services/camera/event-store";
import { switchItem } from "../../../services/menu/menu-desk.contract";
import { SEED_ITEMS } from "../../../services/menu/menu.seed-data";
import { seedMenu } from "../../../services/menu/menu.seed";
import { ViewsStore } from "../../../services/views/views.store";
import { AuthNode } from "../../support/auth-node";
import { fresh, keyed, move, purseKind, type PurseHost } from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";
import { startSynchronousPair, type SynchronousPair } from "../../support/synchronous-pair";
import { freshCommand, MenuNode } from "../services/menu/menu-node";

/** One way in which somebody can be told that something is done because it was found to be done. */
interface Way {
  /** Does it; its commit is cut off while it waits for the standby. */
  first(): Promise<unknown>;
  /** Asks whether it is done, on another node or by another connection. */
  again(): Promise<unknown>;
  /** By which statement that is made sure of; a barrier unless said. */
  readonly waits_by?: RegExp;
}

const BARRIER = /pg_logical_emit_message/;
const APPEND = /es\.append/;

interface Lamp extends RowStamps {
  readonly lamp_id: string;
  readonly serial: string;
}
const lamp: Entity<Lamp> = {
  ...{ name: "lamp", title: "lamp", table: "lamps", id: "lamp_id", fields: ["serial"] },
  events: {
    create: "lamp.created",
    update: "lamp.updated",
    delete: "lamp.deleted",
    payload_fields: ["lamp_id"],
  },
};
const clock = { now: () => Date.parse("2026-03-02T12:00:00.000Z") };

let pair: SynchronousPair;
/** Gives up at once, so that it does not ask again by itself. */
let hasty: PostgresEventLog;
let log: PostgresEventLog;
let auth: AuthNode;
let menu: MenuNode;
let lamps: EntityRows<Lamp>;
let user_id: string;

const rows = (on: PostgresEventLog): EntityRows<Lamp> =>
  new EntityRows({ pool: pair.primary.pool, log: on, clock }, lamp);
const purses = (on: PostgresEventLog): PurseHost =>
  createActorHost({ log: on, clock, logger: new QuietLogger() }, purseKind);

beforeAll(async () => {
  pair = await startSynchronousPair();
  const { connection, pool } = pair.primary;
  await pool.query(`create table lamps (lamp_id uuid primary key, serial text not null, version integer not null,
    created_at timestamptz not null, updated_at timestamptz not null)`);
  await ensureDays(pool, daysAhead(clock.now()));
  hasty = await createEventLog({ connection, logger: new QuietLogger(), try_for_ms: 1 });
  log = await createEventLog({ connection, logger: new QuietLogger() });
  lamps = rows(log);
  auth = await AuthNode.start(pair.primary);
  menu = await MenuNode.start(pair.primary, (runtime: Runtime) => seedMenu(runtime, freshCommand()));
  const account = await auth.room.accounts.create(
    { role: "customer", name: "Anna", password_hash: null },
    fresh(),
    {},
  );
  user_id = (answerOf(account) as { user_id: string }).user_id;
});
afterEach(() => {
  pair.standby.thaw();
});
afterAll(async () => {
  await auth.stop();
  await menu.stop();
  await hasty.close();
  await log.close();
  await pair.stop();
});

function answerOf(outcome: CommandOutcome | Refusal): unknown {
  if ("refused" in outcome) throw new Error(outcome.code);
  return outcome.answer;
}

const ways: Record<string, () => Way | Promise<Way>> = {
  "an actor is asked under the same key": () => {
    const [purse, key] = [randomUUID(), keyed()];
    return {
      first: () => move(purses(hasty), purse, 10, key),
      again: () => move(purses(log), purse, 10, key),
      waits_by: APPEND,
    };
  },
  "an actor finds nothing left to do": () => {
    const purse = randomUUID();
    return {
      first: () => move(purses(hasty), purse, 10),
      again: () => purses(log).tell(purse, { kind: "nothing" }, fresh(), {}),
    };
  },
  "a refusal is settled again": () => {
    const [key, no] = [keyed(), refuse("conflict", "test.no", "No.")];
    return { first: () => settle(hasty, key, no), again: () => settle(log, key, no), waits_by: APPEND };
  },
  "rows are changed under the same key": () => {
    const [asked, row] = [
      { command: keyed(), meta: {} },
      { lamp_id: randomUUID(), serial: "1" },
    ];
    return { first: () => lamps.create(row, asked), again: () => lamps.create(row, asked) };
  },
  "a row is as it is wanted already": async () => {
    const row = { lamp_id: randomUUID(), serial: "1" };
    await lamps.create(row, { command: fresh(), meta: {} });
    const change = () => lamps.change(row.lamp_id, () => ({ serial: "2" }), { command: fresh(), meta: {} });
    return { first: change, again: change };
  },
  "the menu is as it is wanted already": () => {
    const params = { item_id: SEED_ITEMS[0]?.item_id ?? "", available: false };
    const off = () => menu.ask(switchItem, params);
    // What was broken by hand is mended along.
    return { first: off, again: off, waits_by: /menu_items/ };
  },
  "a login is repeated": () => {
    const command: CommandIdentity = keyed();
    const open = () => auth.room.sessions.open(user_id, command, null);
    return { first: open, again: open };
  },
  "a refresh is repeated": async () => {
    const session = await auth.room.sessions.open(user_id, keyed(), null);
    if ("refused" in session) throw new Error(session.code);
    const command = keyed();
    const rotate = () => auth.room.sessions.rotate(session.refresh_token, command);
    // The lock of the token's row is in the WAL.
    return { first: rotate, again: rotate, waits_by: /^commit/ };
  },
  "a view is counted already": async () => {
    const view = { post_id: await post(), user_id: randomUUID() };
    const count = (on: PostgresEventLog) => () =>
      new ViewsStore(pair.primary.pool, on).count([view], new Date(clock.now()));
    return { first: count(hasty), again: count(log) };
  },
  "viewers of a post are read for Redis": async () => {
    const view = { post_id: await post(), user_id: randomUUID() };
    const store = (on: PostgresEventLog): ViewsStore => new ViewsStore(pair.primary.pool, on);
    return {
      first: () => store(hasty).count([view], new Date(clock.now())),
      again: () => store(log).viewers([view.post_id], 10),
    };
  },
  "events of a camera are sent again": () => {
    const addition = {
      ...{
        events: [],
        received_at: new Date(clock.now()).toISOString(),
        identity: keyed(),
        answer: { accepted: 0 },
      },
    };
    const add = () => new EventStore(pair.primary.pool, log, () => undefined).add(addition);
    return { first: add, again: add };
  },
};

async function post(): Promise<string> {
  const post_id = randomUUID();
  await pair.primary.pool.query(
    `insert into posts (post_id, title_ru, title_en, body_ru, body_en, status, published_at, created_at, updated_at, version)
     values ($1, '-', '-', '-', '-', 'published', now(), now(), now(), 1)`,
    [post_id],
  );
  return post_id;
}

it.each(Object.entries(ways))(
  "nobody is told that it is done while only one server has it: %s",
  async (_name, make) => {
    const way = await make();
    await pair.standby.freeze();
    const first = way.first();
    expect(await pair.outcome(first)).toBe("waits");
    await pair.standby.cutWaiting();
    // Its outcome is unknown to it, or it asks again by itself, which is the same way.
    const { waits_by = BARRIER } = way;
    const now = await pair.outcome(first, { like: waits_by });
    expect(now).not.toBe("acknowledged");
    const again = way.again();
    expect(await pair.outcome(again, { like: waits_by, times: now === "waits" ? 2 : 1 })).toBe("waits");
    pair.standby.thaw();
    await Promise.allSettled([first]);
    expect(await again).toBeDefined();
  },
);

it("a refusal waits for nobody: it promises nothing", async () => {
  const purse = randomUUID();
  const host = purses(log);
  await move(host, purse, 10);
  await pair.standby.freeze();
  expect(await move(host, purse, -50)).toMatchObject({ code: "purse.empty" });
});

it("a cart is looked at without waiting", async () => {
  const host = createActorHost(
    { log, clock, logger: new QuietLogger() },
    {
      ...purseKind,
      decider: { ...purseKind.decider, decide: () => ({ events: [], answer: {}, reading: true }) },
    },
  );
  await pair.standby.freeze();
  expect(await host.tell(randomUUID(), { kind: "nothing" }, fresh(), {})).toMatchObject({ replayed: false });
});
