import type { Server } from "node:http";
import type { ServiceBroker } from "moleculer";

const servers = new WeakMap<ServiceBroker, Server>();

/** The node's HTTP server, for whoever shares its port (sockets). @throws Error before the HTTP service was created. */
export function httpServerOf(broker: ServiceBroker): Server {
  const server = servers.get(broker);
  if (server === undefined)
    throw new Error("This node has no HTTP server yet: create the HTTP service first.");
  return server;
}

/** Says which server is the node's; called by the HTTP service alone. */
export function setHttpServer(broker: ServiceBroker, server: Server): void {
  servers.set(broker, server);
}

const opsServers = new WeakMap<ServiceBroker, Server>();

/** The server of OPS_PORT, once it listens; undefined where there is none. */
export function opsServerOf(broker: ServiceBroker): Server | undefined {
  return opsServers.get(broker);
}

/** Says which server is for monitors; called by the HTTP service alone. */
export function setOpsServer(broker: ServiceBroker, server: Server): void {
  opsServers.set(broker, server);
}
