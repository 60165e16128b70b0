import { randomUUID } from "node:crypto";
import { ServiceBroker, type BrokerOptions } from "moleculer";
import { brokerOptions } from "../../moleculer.config";
import { loadSettings, type Settings } from "../../settings";

/** Settings of one node of a fleet that is its own on a shared NATS, when it is given a namespace of its own. */
export function fleetSettings(
  nats_url: string,
  namespace: string,
  env: Readonly<Record<string, string>> = {},
): Settings {
  return loadSettings({
    NATS_URL: nats_url,
    // Of a node that shares its database; nobody connects to this one.
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    NAMESPACE: namespace,
    NODE_ID: `node-${randomUUID().slice(0, 8)}`,
    JWT_SECRET: "a secret of at least 32 characters",
    LOG_LEVEL: "fatal",
    ...env,
  });
}

/** The broker of such a node, with exactly the options of a real one, but silent. */
export function fleetBroker(settings: Settings, more: BrokerOptions = {}): ServiceBroker {
  return new ServiceBroker({ ...brokerOptions(settings), logger: false, ...more });
}
