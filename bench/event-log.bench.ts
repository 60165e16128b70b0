import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import { Client, Pool } from "pg";
import { parseIntoClientConfig } from "pg-connection-string";
import { createEventLog } from "../mixins/event-log/postgres-event-log";

/** What one scenario came to. */
export interface EventLogFigures {
  readonly scenario: string;
  readonly events_per_s: number;
  /** Of one append, as its caller sees it. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Of this process: building, sending and answering, the caller included. */
  readonly cpu_us_per_event: number;
}

interface Options {
  /** Of each scenario, over all rounds. */
  readonly duration_ms?: number;
  readonly print?: (line: string) => void;
}

/** Appends to a caller's own stream at the version that it last saw. */
type Append = (caller: number) => Promise<unknown>;

interface Scenario {
  readonly name: string;
  readonly callers: number;
  readonly events_per_append: number;
  readonly append: Append;
}

/** One side of the comparison: its scenarios, and how to put it away. */
interface Contender {
  readonly scenarios: readonly Scenario[];
  close(): Promise<void>;
}

/** Scenarios take turns in short rounds, so that a busy moment of the machine hits all of them. */
const ROUNDS = 5;
const WARM_UP_MS = 300;
const EMMETT_CONNECTIONS = 20;

/** What an event of an order holds: a little more than 500 bytes of JSON in UTF-8. */
const DATA = {
  order_id: "0193f0a1-6f7e-7c3a-9d57-3f2b8a1c4e5d",
  branch_id: "0193f0a1-6f7e-7c3a-9d57-3f2b8a1c4e00",
  items: [
    {
      name: { ru: "Маргарита", en: "Margherita" },
      quantity: 2,
      unit_price_minor: 45_000,
      extras: [] as string[],
    },
    { name: { ru: "Пепперони", en: "Pepperoni" }, quantity: 1, unit_price_minor: 52_000, extras: ["cheese"] },
  ],
  total_minor: 142_000,
  currency: "RUB",
  placed_at: "2026-01-01T12:00:00.000Z",
};
const EVENT = { type: "bench.done", data: DATA };

/**
 * Appends of one event through the log with 1 and with 64 callers, against bare inserts of the same rows over one
 * connection (what the server can do at most) and against Emmett, all on one server. Needs a migrated database.
 */
export async function benchEventLog(
  url: string,
  { duration_ms = 5_000, print = console.log }: Options = {},
): Promise<readonly EventLogFigures[]> {
  const contenders = [await eventLog(url), await bareTable(url), await emmett(url)];
  const scenarios = contenders.flatMap((contender) => contender.scenarios);
  const tallies = new Map<Scenario, Tally>();
  for (const scenario of scenarios) {
    await run(scenario, WARM_UP_MS, new Tally());
    tallies.set(scenario, new Tally());
  }
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [scenario, tally] of tallies) await run(scenario, duration_ms / ROUNDS, tally);
  for (const contender of contenders) await contender.close();
  const figures = scenarios.map((scenario) => (tallies.get(scenario) ?? new Tally()).figures(scenario));
  for (const line of table(figures)) print(line);
  return figures;
}

class Tally {
  readonly latencies_ms: number[] = [];
  seconds = 0;
  cpu_us = 0;

  figures({ name, events_per_append }: Scenario): EventLogFigures {
    const sorted = this.latencies_ms.toSorted((a, b) => a - b);
    const quantile = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN;
    const events = sorted.length * events_per_append;
    return {
      scenario: name,
      events_per_s: events / this.seconds,
      p50_ms: quantile(0.5),
      p99_ms: quantile(0.99),
      cpu_us_per_event: this.cpu_us / events,
    };
  }
}

async function run({ callers, append }: Scenario, duration_ms: number, tally: Tally): Promise<void> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let from = started; from - started < duration_ms;) {
        await append(caller);
        const now = performance.now();
        tally.latencies_ms.push(now - from);
        from = now;
      }
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  tally.seconds += (performance.now() - started) / 1000;
  tally.cpu_us += user + system;
}

async function eventLog(url: string): Promise<Contender> {
  const log = await createEventLog({ connection: parseIntoClientConfig(url) });
  const appendAs = (name: string): Append => {
    const versions = new Map<number, number>();
    return async (caller) => {
      const expected_version = versions.get(caller) ?? 0;
      versions.set(caller, expected_version + 1);
      const stream = {
        stream_id: `${name}-${String(caller)}`,
        stream_type: "bench",
        expected_version,
        events: [EVENT],
      };
      const command = { id: randomUUID(), fingerprint: "", answer: { order_id: DATA.order_id } };
      const outcome = await log.append({ streams: [stream], commands: [command], meta: { actor: "bench" } });
      if (outcome.status !== "committed") throw new Error(`The log answered ${outcome.status}.`);
    };
  };
  const scenario = (callers: number): Scenario => ({
    name: `log, ${String(callers)} caller(s)`,
    callers,
    events_per_append: 1,
    append: appendAs(`bench-${randomUUID()}`),
  });
  return { scenarios: [scenario(1), scenario(64)], close: () => log.close() };
}

async function bareTable(url: string): Promise<Contender> {
  const client = new Client(parseIntoClientConfig(url));
  await client.connect();
  await client.query("drop table if exists bench_event");
  await client.query(
    "create table bench_event (pos bigint generated always as identity primary key, stream_id text, type text, data json)",
  );
  const text =
    "insert into bench_event (stream_id, type, data) select * from unnest($1::text[], $2::text[], $3::json[])";
  const scenario = (rows: number): Scenario => {
    const values = ["bench", EVENT.type, JSON.stringify(DATA)].map((value) =>
      Array<string>(rows).fill(value),
    );
    return {
      name: `bare insert of ${String(rows)} row(s)`,
      callers: 1,
      events_per_append: rows,
      append: () => client.query({ name: "bench", text, values }),
    };
  };
  const close = async (): Promise<void> => {
    await client.query("drop table bench_event");
    await client.end();
  };
  return { scenarios: [scenario(1), scenario(64)], close };
}

async function emmett(url: string): Promise<Contender> {
  const pool = new Pool({ ...parseIntoClientConfig(url), max: EMMETT_CONNECTIONS });
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
  await store.schema.migrate();
  const appendAs = (name: string): Append => {
    const versions = new Map<number, bigint>();
    const event = { ...EVENT, metadata: { actor: "bench" } };
    return async (caller) => {
      const expectedStreamVersion = versions.get(caller) ?? 0n;
      const options = { expectedStreamVersion };
      const appended = await store.appendToStream(`${name}-${String(caller)}`, [event], options);
      versions.set(caller, appended.nextExpectedStreamVersion);
    };
  };
  const scenario = (callers: number): Scenario => ({
    name: `Emmett, ${String(callers)} caller(s)`,
    callers,
    events_per_append: 1,
    append: appendAs(`bench-${randomUUID()}`),
  });
  const close = async (): Promise<void> => {
    await store.close();
    await pool.end();
  };
  return { scenarios: [scenario(1), scenario(64)], close };
}

function table(figures: readonly EventLogFigures[]): string[] {
  const speedOf = (name: string): number =>
    figures.find(({ scenario }) => scenario === name)?.events_per_s ?? Number.NaN;
  const [peer, bare] = [speedOf("Emmett, 64 caller(s)"), speedOf("bare insert of 64 row(s)")];
  const row = (first: string, ...cells: readonly string[]): string =>
    first.padEnd(32) + cells.map((cell) => cell.padStart(14)).join("");
  return [
    row("event log", "events/s", "p50 ms", "p99 ms", "CPU µs/event", "× Emmett 64", "× bare 64"),
    ...figures.map(({ scenario, events_per_s, p50_ms, p99_ms, cpu_us_per_event }) =>
      row(
        scenario,
        events_per_s.toFixed(0),
        p50_ms.toFixed(2),
        p99_ms.toFixed(2),
        cpu_us_per_event.toFixed(1),
        (events_per_s / peer).toFixed(2),
        (events_per_s / bare).toFixed(2),
      ),
    ),
  ];
}
