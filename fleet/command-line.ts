import { parseArgs } from "node:util";
import { loadSettings } from "../settings";
import type { FleetOptions } from "./fleet";

export const USAGE = `npm run fleet -- [options]

Runs Forno as several nodes on this machine, with the servers that they share: PostgreSQL (it comes with npm ci),
Redis and NATS (as root on Debian they are installed when missing), Kafka (from KAFKA_HOME, else its jars by Maven;
where neither is there, the fleet runs without). Ctrl+C stops the nodes one after the other, then the servers. Nothing
is started again by itself: kill what you like, and watch the others go on.

  --nodes N        how many nodes [3]; REST on 8080, 8081, … and gRPC on 50051, 50052, …
  --any-ports      any free ports instead
  --layout WHICH   all: every node runs everything; split: half are gateways, the others hold the rooms [all]
  --replica        a second PostgreSQL, for the shop's reads
  --no-redis       without Redis
  --no-nats        without NATS
  --no-kafka       without Kafka
  --data DIR       data, logs and secrets [./fleet-data]
  --fresh          clear that folder first
  --help           this text

Other settings of the nodes (npm start -- --help) are taken from the environment, e.g. LOG_LEVEL=debug npm run fleet.`;

/** Settings that differ from node to node or name the fleet's own servers: what the environment says of them is not for it. */
const OWN_SETTINGS = [
  ...[
    "PORT",
    "GRPC_PORT",
    "OPS_PORT",
    "OPS_HOST",
    "HOST",
    "DATA_DIR",
    "NODE_ID",
    "SERVICES",
    "JWT_SECRET",
    "ADMIN_USERNAME",
  ],
  ...["ADMIN_PASSWORD", "DATABASE_URL", "DATABASE_REPLICA_URL", "NATS_URL", "REDIS_URL", "KAFKA_BROKERS"],
  ...["KAFKA_USERNAME", "KAFKA_PASSWORD", "KAFKA_SASL_MECHANISM", "KAFKA_CA_CERT"],
];

const NODES_MAX = 32;

/** A command line that is not valid; its message is the one line that says why. */
export class UsageError extends Error {}

/**
 * What a command line asks for; undefined when it asks for help.
 * @throws UsageError
 */
export function fleetOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): FleetOptions | undefined {
  const { help, nodes, layout, data, ...flags } = parsed(args);
  if (help) return undefined;
  if (!/^\d+$/.test(nodes) || Number(nodes) < 1 || Number(nodes) > NODES_MAX)
    throw new UsageError(`--nodes is a number from 1 to ${String(NODES_MAX)}.`);
  if (layout !== "all" && layout !== "split") throw new UsageError("--layout is all or split.");
  if (layout === "split" && Number(nodes) < 2)
    throw new UsageError("--layout split needs --nodes 2 at least: a gateway and a worker.");
  return {
    folder: data,
    nodes: Number(nodes),
    layout,
    redis: !flags["no-redis"],
    nats: !flags["no-nats"],
    kafka: flags["no-kafka"] ? false : "if-possible",
    replica: flags.replica,
    anyPorts: flags["any-ports"],
    fresh: flags.fresh,
    env: nodeSettings(env),
  };
}

const FLAG = { type: "boolean", default: false } as const;

function parsed(args: readonly string[]) {
  const options = {
    nodes: { type: "string", default: "3" },
    layout: { type: "string", default: "all" },
    data: { type: "string", default: "fleet-data" },
    "any-ports": FLAG,
    replica: FLAG,
    "no-redis": FLAG,
    "no-nats": FLAG,
    "no-kafka": FLAG,
    fresh: FLAG,
    help: FLAG,
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(
      `${error instanceof Error ? error.message : String(error)} --help lists the options.`,
    );
  }
}

function nodeSettings(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = Object.keys(loadSettings({})).filter((name) => !OWN_SETTINGS.includes(name));
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
