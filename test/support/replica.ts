import { setUpReplica } from "../../fleet/replica/set-up-replica";
import type { PublicationStatus } from "../../fleet/replica/status";
import { startTestDatabase, type TestDatabase } from "./postgres";

/** A primary with today's schema, and an empty server beside it that may become its replica. */
export interface TestReplica {
  readonly primary: TestDatabase;
  readonly replica: TestDatabase;
  /** What the setup has said. */
  readonly said: string[];
  /** Runs the setup, as `npm run replica:setup` does. */
  setUp(password?: string): Promise<PublicationStatus[]>;
  stop(): Promise<void>;
}

/** PostgreSQL looks for work of replication every few seconds otherwise. The workers do for two replicas in one server. */
const SETTINGS = {
  wal_retrieve_retry_interval: "100ms",
  wal_receiver_status_interval: "1s",
  max_logical_replication_workers: "12",
  max_worker_processes: "16",
};

export async function startTestReplica(
  options: { replica?: "embedded" | "system"; entities?: (new () => object)[] } = {},
): Promise<TestReplica> {
  const { replica: server = "embedded", entities = [] } = options;
  const primary = await startTestDatabase({ entities, settings: { wal_level: "logical" } });
  const replica = await startTestDatabase({ server, migrated: false, settings: SETTINGS, beside: primary });
  // A connection that a test cuts says so to whoever listens, and ends the process where nobody does.
  for (const { pool } of [primary, replica]) pool.on("error", () => undefined);
  const said: string[] = [];
  return {
    primary,
    replica,
    said,
    setUp: (password) =>
      setUpReplica({
        primary: primary.url,
        replica: replica.url,
        replication_password: password,
        say: (line) => said.push(line),
      }),
    async stop() {
      await replica.stop();
      await primary.stop();
    },
  };
}
