import { hash } from "node:crypto";
import { hostname } from "node:os";
import type { BrokerOptions } from "moleculer";
import { fleetOptions } from "./mixins/transport/fleet-options";
import type { Settings } from "./settings";

/** The broker of this node, from its settings. */
export function brokerOptions(settings: Settings): BrokerOptions {
  return {
    namespace: namespaceOf(settings),
    nodeID: settings.NODE_ID ?? `${hostname()}-${String(process.pid)}`,
    logger: {
      type: "Console",
      options: { level: levels(settings), formatter: "short", colors: process.stdout.isTTY },
    },
    // JSON is the fastest serializer that Moleculer has for calls between nodes.
    serializer: "JSON",
    // Contracts validate by themselves (implement): once, compiled, with the same schema as OpenAPI.
    validator: false,
    // Metrics and tracing middleware more than double the cost of a call; what /metrics shows is counted where it happens.
    metrics: false,
    tracing: false,
    cacher: false,
    // Calls that stay in this process need no timer: what can hang, the database, has timeouts of its own. Those to other
    // nodes have theirs in mixins/transport/remote-calls.ts.
    requestTimeout: 0,
    // Rooms start together and wait for each other a moment only.
    dependencyInterval: 5,
    registry: { strategy: "RoundRobin", preferLocal: true },
    ...(settings.NATS_URL === undefined ? {} : fleetOptions(settings.NATS_URL)),
    // start.ts stops the broker and then what the services stand on, in that order.
    skipProcessEventRegistration: true,
    errorHandler: null,
  };
}

/**
 * Nodes of one namespace do each other's work, so they must share a database. One that has brought its own shares it with
 * nobody, whatever NATS it is connected to.
 */
function namespaceOf({ NAMESPACE, DATABASE_URL, DATA_DIR }: Settings): string {
  if (DATABASE_URL !== undefined) return NAMESPACE;
  return `${NAMESPACE}-${hash("sha256", `${hostname()} ${DATA_DIR}`, "hex").slice(0, 12)}`;
}

/** What Moleculer says of its own start is for those who look into it. */
function levels({ LOG_LEVEL }: Settings): Record<string, string> {
  const chatter = LOG_LEVEL === "info" ? "warn" : LOG_LEVEL;
  const own = ["BROKER", "REGISTRY", "$NODE", "TRANSIT", "DISCOVERY", "CACHER"];
  return { ...Object.fromEntries(own.map((name) => [name, chatter])), "**": LOG_LEVEL };
}
