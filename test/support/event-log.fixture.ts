import { randomUUID } from "node:crypto";
import type { AppendOutcome, AppendUnit, NewEvent } from "../../mixins/event-log/event-log";
import {
  createEventLog,
  type EventLogOptions,
  type PostgresEventLog,
} from "../../mixins/event-log/postgres-event-log";
import { CuttingProxy } from "../../chaos/faults/cutting-proxy";
import { startTestDatabase, type TestDatabase } from "./postgres";

/** Ends server processes whose connection is named like $1. */
export const TERMINATE =
  "select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1";

/** What every append waits for, taken until the transaction's end. */
export const LANE_LOCK = "select pg_advisory_xact_lock(7461, 0)";

/** A unit that writes so many events to each stream, at the versions given. */
export function unit(
  streams: Record<string, { at: number; events?: number }>,
  rest: Partial<AppendUnit> = {},
): AppendUnit {
  return {
    streams: Object.entries(streams).map(([stream_id, { at, events = 1 }]) => ({
      stream_id,
      stream_type: "test",
      expected_version: at,
      events: Array.from({ length: events }, (_, n): NewEvent => ({ type: "test.done", data: { n } })),
    })),
    commands: [],
    meta: {},
    ...rest,
  };
}

export const command = (
  id: string = randomUUID(),
  answer: unknown = { said: id },
): AppendUnit["commands"][number] => ({
  id,
  fingerprint: "f",
  answer,
});

export const name = (): string => `test-${randomUUID()}`;
export const committedAt = (outcome: AppendOutcome | undefined): number => {
  expect(outcome).toMatchObject({ status: "committed" });
  return outcome?.status === "committed" ? outcome.position : Number.NaN;
};
/** Logs on one database, closed after each test. */
export interface Logs {
  readonly database: () => TestDatabase;
  /** With partitions so small that every test rolls over. */
  readonly open: (options?: Partial<EventLogOptions>) => Promise<PostgresEventLog>;
  /** A log whose appending connection can be cut. */
  readonly openBehindProxy: (
    options?: Partial<EventLogOptions>,
  ) => Promise<{ log: PostgresEventLog; proxy: CuttingProxy }>;
}

/** Starts a server for the tests of the surrounding `describe`. */
export function useLogs(server: "embedded" | "system"): Logs {
  let started: TestDatabase;
  const opened: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    started = await startTestDatabase({ server });
  }, 60_000);
  afterEach(async () => {
    for (const it of opened.splice(0)) await it.close();
  });
  afterAll(() => started.stop());

  const open = async (options: Partial<EventLogOptions> = {}): Promise<PostgresEventLog> => {
    const { connection } = started;
    const log = await createEventLog({
      connection,
      logger: { warn: () => undefined },
      partition_events: 40,
      ...options,
    });
    opened.push(log);
    return log;
  };
  const openBehindProxy = async (
    options: Partial<EventLogOptions> = {},
  ): Promise<{ log: PostgresEventLog; proxy: CuttingProxy }> => {
    const proxy = new CuttingProxy(started.connection, "event log: append");
    const log = await open({ connection: await proxy.start(), ...options });
    opened.push({ close: () => proxy.stop() });
    return { log, proxy };
  };
  return { database: () => started, open, openBehindProxy };
}
