import { parseArgs } from "node:util";
import { forgetReplicas, removeReplica } from "./remove-replica";
import { ReplicaSetupError } from "./servers";
import { setUpReplica, withServers, type ReplicaSetup } from "./set-up-replica";
import { replicaStatus, type PublicationStatus } from "./status";

/** Exit codes: 2 for a wrong command line or setting, 1 for what a server refused. */
const WRONG_USAGE = 2;
const FAILED = 1;

const USAGE = `npm run replica:setup            makes or mends the replica, and shows its state
npm run replica:setup -- --status                    only shows it
npm run replica:setup -- --remove                    takes it away, with its slots on the primary
npm run replica:setup -- --remove --replica-is-gone  the same when the replica will never answer again

  DATABASE_URL            the primary: PostgreSQL 15+, wal_level=logical
  DATABASE_REPLICA_URL    the replica: PostgreSQL 15+, an empty database on another server
  REPLICATION_HOST        where the replica finds the primary, host or host:port [as in DATABASE_URL]
  REPLICATION_PASSWORD    password of the role that the replica connects as [generated, shown once]`;

const say = (line: string): void => {
  console.log(line);
};

function end(code: number, message: string): never {
  console.error(message);
  process.exit(code);
}

function setupFrom(env: NodeJS.ProcessEnv): ReplicaSetup {
  const url = (name: string): string => {
    const text = env[name] ?? "";
    const scheme = URL.canParse(text) ? new URL(text).protocol : "";
    if (!["postgres:", "postgresql:"].includes(scheme))
      end(WRONG_USAGE, `${name} is not set to a postgres:// URL.`);
    return text;
  };
  return {
    primary: url("DATABASE_URL"),
    replica: url("DATABASE_REPLICA_URL"),
    replication_host: env["REPLICATION_HOST"],
    replication_password: env["REPLICATION_PASSWORD"] === "" ? undefined : env["REPLICATION_PASSWORD"],
    say,
  };
}

function optionsOrEnd() {
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({ options: { status: flag, remove: flag, "replica-is-gone": flag, help: flag } }).values;
  } catch (error) {
    end(WRONG_USAGE, `${(error as Error).message}\n\n${USAGE}`);
  }
}

function show(states: readonly PublicationStatus[]): void {
  for (const { publication, subscription, waiting_for, slot, lag_ms, differences } of states) {
    const parts = [
      subscription === undefined ? "no subscription" : `subscription ${subscription}`,
      waiting_for.length === 0 ? "copied" : `copying ${waiting_for.join(", ")}`,
      slot === undefined
        ? "no slot"
        : `slot ${slot.active ? "active" : "inactive"}, holds ${megabytes(slot.retained_bytes)} of WAL`,
      lag_ms === undefined
        ? "no heartbeat yet (a running Forno beats it)"
        : `heartbeat ${String(lag_ms)} ms old`,
    ];
    say(`  ${publication.padEnd(16)} ${parts.join(" · ")}`);
    for (const difference of differences) say(`    ${difference}`);
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;

/** Slots wait for ever unless they are told not to. */
async function advise(setup: ReplicaSetup): Promise<void> {
  await withServers(setup, async ({ client }, replica) => {
    const keep = await client.query<{ max_slot_wal_keep_size: string }>("show max_slot_wal_keep_size");
    if (keep.rows[0]?.max_slot_wal_keep_size === "-1")
      say(
        "Advice: a replica that is away makes the primary keep WAL without end. Give that a bound that the disk can hold:\n" +
          "  alter system set max_slot_wal_keep_size = '10GB'; select pg_reload_conf();",
      );
    const { rows } = await replica.client.query<{ workers: number; subscriptions: number }>(
      `select current_setting('max_logical_replication_workers')::integer as workers,
         (select count(*)::integer from pg_subscription) as subscriptions`,
    );
    const { workers = 0, subscriptions = 0 } = rows[0] ?? {};
    // One follows each subscription, and one more copies.
    if (workers <= subscriptions)
      say(
        `Advice: the replica has ${String(subscriptions)} subscriptions and needs max_logical_replication_workers of ` +
          `${String(subscriptions + 1)} or more; it is ${String(workers)}. Some of them stand still.`,
      );
  });
}

async function main(): Promise<void> {
  const { status, remove, help, "replica-is-gone": gone } = optionsOrEnd();
  if (help === true) {
    say(USAGE);
    return;
  }
  const setup = setupFrom(process.env);
  if (remove === true) {
    await (gone === true ? forgetReplicas(setup) : removeReplica(setup));
    return;
  }
  show(status === true ? await withServers(setup, replicaStatus) : await setUpReplica(setup));
  await advise(setup);
}

main().catch((error: unknown) => {
  if (error instanceof ReplicaSetupError) end(FAILED, error.message);
  end(FAILED, error instanceof Error ? (error.stack ?? error.message) : String(error));
});
