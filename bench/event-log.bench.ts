import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import { Client, Pool } from "pg";
import { parseIntoClientConfig } from "pg-connection-string";
import { createEventLog } from "../mixins/event-log/postgres-event-log";

/** What one scenario came to. */
export interface Measured {
  readonly scenario: string;
  readonly events_per_s: number;
  /** Of one append, as its caller sees it. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Of this process, clients of the database included. */
  readonly cpu_us_per_event: number;
}

interface Options {
  /** Of each scenario. */
  readonly duration_ms?: number;
  readonly print?: (line: string) => void;
}

/** Appends two events to a caller's own stream at the version it last saw. */
type Append = (caller: number, round: number) => Promise<unknown>;

const EVENTS_PER_APPEND = 2;
const WARM_UP_MS = 500;

/** About 450 bytes of JSON, as an order with two pizzas has. */
const DATA = {
  order_id: "0193f0a1-6f7e-7c3a-9d57-3f2b8a1c4e5d",
  branch_id: "0193f0a1-6f7e-7c3a-9d57-3f2b8a1c4e00",
  items: [
    { name: { ru: "Маргарита", en: "Margherita" }, quantity: 2, unit_price_minor: 45_000, extras: [] as string[] },
    { name: { ru: "Пепперони", en: "Pepperoni" }, quantity: 1, unit_price_minor: 52_000, extras: ["cheese"] },
  ],
  total_minor: 142_000,
  currency: "RUB",
  placed_at: "2026-01-01T12:00:00.000Z",
};

/**
 * Appends through the log with 1 and with 64 callers, against bare multi-row inserts of the same events (what the server
 * can do at most) and against Emmett, all on one server, one after another. Needs a migrated database.
 */
export async function benchEventLog(url: string, { duration_ms = 5_000, print = console.log }: Options = {}): Promise<Measured[]> {
  const results: Measured[] = [];
  const measure = async (scenario: string, callers: number, append: Append, events = EVENTS_PER_APPEND): Promise<void> => {
    await run(callers, append, WARM_UP_MS);
    results.push({ scenario, ...(await run(callers, append, duration_ms, events)) });
  };
  await withLog(url, async (append) => {
    await measure("log, 1 caller", 1, append());
    await measure("log, 64 callers", 64, append());
  });
  await withBareTable(url, async (insert) => {
    await measure("bare insert of 2 rows, 1 connection", 1, insert(2), 2);
    await measure("bare insert of 128 rows, 1 connection", 1, insert(128), 128);
  });
  await withEmmett(url, async (append) => {
    await measure("Emmett, 1 caller", 1, append());
    await measure("Emmett, 64 callers", 64, append());
  });
  for (const line of table(results)) print(line);
  return results;
}

async function run(callers: number, append: Append, duration_ms: number, events_per_append = EVENTS_PER_APPEND): Promise<Omit<Measured, "scenario">> {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let round = 0; performance.now() - started < duration_ms; round += 1) {
        const from = performance.now();
        await append(caller, round);
        latencies.push(performance.now() - from);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const events = latencies.length * events_per_append;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number): number => latencies[Math.floor(q * (latencies.length - 1))] ?? 0;
  return { events_per_s: events / seconds, p50_ms: quantile(0.5), p99_ms: quantile(0.99), cpu_us_per_event: (user + system) / events };
}

async function withLog(url: string, use: (append: () => Append) => Promise<void>): Promise<void> {
  const log = await createEventLog({ connection: parseIntoClientConfig(url) });
  await use(() => {
    const versions = new Map<number, number>();
    const run = randomUUID();
    return async (caller) => {
      const expected_version = versions.get(caller) ?? 0;
      versions.set(caller, expected_version + EVENTS_PER_APPEND);
      const outcome = await log.append({
        streams: [{ stream_id: `bench-${run}-${String(caller)}`, stream_type: "bench", expected_version, events: [{ type: "bench.done", data: DATA }, { type: "bench.done", data: DATA }] }],
        commands: [{ id: randomUUID(), fingerprint: "", answer: { order_id: DATA.order_id } }],
        meta: { actor: "bench" },
      });
      if (outcome.status !== "committed") throw new Error(`The log answered ${outcome.status}.`);
    };
  });
  await log.close();
}

async function withBareTable(url: string, use: (insert: (rows: number) => Append) => Promise<void>): Promise<void> {
  const client = new Client({ ...parseIntoClientConfig(url) });
  await client.connect();
  await client.query("drop table if exists bench_event");
  await client.query("create table bench_event (pos bigint generated always as identity primary key, stream_id text, type text, data json)");
  const data = JSON.stringify(DATA);
  await use((rows) => {
    const values = [Array<string>(rows).fill("bench-1"), Array<string>(rows).fill("bench.done"), Array<string>(rows).fill(data)];
    const statement = { name: "bench", text: "insert into bench_event (stream_id, type, data) select * from unnest($1::text[], $2::text[], $3::json[])" };
    return () => client.query({ ...statement, values });
  });
  await client.query("drop table bench_event");
  await client.end();
}

async function withEmmett(url: string, use: (append: () => Append) => Promise<void>): Promise<void> {
  const pool = new Pool({ ...parseIntoClientConfig(url), max: 20 });
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
  await store.schema.migrate();
  await use(() => {
    const versions = new Map<number, bigint>();
    const run = randomUUID();
    return async (caller) => {
      const expectedStreamVersion = versions.get(caller) ?? 0n;
      const event = { type: "bench.done", data: DATA, metadata: { actor: "bench" } };
      const { nextExpectedStreamVersion } = await store.appendToStream(`bench-${run}-${String(caller)}`, [event, event], { expectedStreamVersion });
      versions.set(caller, nextExpectedStreamVersion);
    };
  });
  await store.close();
  await pool.end();
}

function table(results: readonly Measured[]): string[] {
  const emmett = results.find(({ scenario }) => scenario === "Emmett, 64 callers");
  const bare = results.find(({ scenario }) => scenario.startsWith("bare insert of 128"));
  const row = (cells: readonly string[]): string => cells.map((cell, at) => (at === 0 ? cell.padEnd(40) : cell.padStart(12))).join("");
  return [
    row(["event append (2 events each)", "events/s", "p50 ms", "p99 ms", "CPU µs/event", "× Emmett 64", "× bare 128"]),
    ...results.map((result) =>
      row([
        result.scenario,
        result.events_per_s.toFixed(0),
        result.p50_ms.toFixed(2),
        result.p99_ms.toFixed(2),
        result.cpu_us_per_event.toFixed(1),
        (result.events_per_s / (emmett?.events_per_s ?? Number.NaN)).toFixed(2),
        (result.events_per_s / (bare?.events_per_s ?? Number.NaN)).toFixed(2),
      ]),
    ),
  ];
}
