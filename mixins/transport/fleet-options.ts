import type { BrokerOptions } from "moleculer";
import { FleetErrors } from "./fleet-errors";
import { NatsTransporter } from "./nats-transporter";
import { remoteCalls, TrustedFirst } from "./remote-calls";

/** What a broker needs to be one node of a fleet over NATS. Make it anew for each broker. */
export function fleetOptions(nats_url: string): BrokerOptions {
  return {
    transporter: new NatsTransporter(nats_url),
    middlewares: [remoteCalls],
    errorRegenerator: new FleetErrors(),
    // Moleculer's own 10 and 30 s leave a frozen node in the list for half a minute.
    heartbeatInterval: 2,
    heartbeatTimeout: 6,
    transit: { ...TRANSIT },
    registry: { strategy: TrustedFirst, preferLocal: true },
  };
}

const TRANSIT = {
  /** Requests that wait for other nodes at once; beyond it callers hear at once that the fleet is overloaded. */
  maxQueueSize: 20_000,
  /** Services that start or stop together are announced together; Moleculer's second is a second too late. Not in its types. */
  serviceChangedDebounceTime: 100,
};
