import type { ServiceBroker } from "moleculer";
import { healthProbesOf, type HealthProbe } from "../health/health-probes";
import { metricsOf } from "../metrics/metrics";
import { fleetNodesOf } from "./fleet-nodes";
import { natsTransporterOf } from "./nats-transporter";

/** Shows the fleet as this node sees it: in its health as `nats`, and in its metrics. */
export function watchFleet(broker: ServiceBroker): void {
  const fleet = fleetNodesOf(broker);
  const metrics = metricsOf(broker);
  healthProbesOf(broker).add(natsProbe(broker));
  metrics.gauge("forno_fleet_nodes", "Live nodes, this one among them.", () => fleet.live.length);
  metrics.gauge(
    "forno_fleet_nodes_suspect",
    "Nodes that did not answer lately and get no work.",
    () => fleet.suspects.length,
  );
}

/** Whether NATS answers, and how many nodes are seen through it. Without it a node goes on alone. */
function natsProbe(broker: ServiceBroker): HealthProbe {
  const fleet = fleetNodesOf(broker);
  return {
    name: "nats",
    required: false,
    async probe() {
      const transporter = natsTransporterOf(broker);
      if (transporter === undefined) return { status: "off" };
      const nodes = fleet.live.length;
      if (!transporter.connected)
        return { status: "down", nodes, detail: "NATS does not answer; this node goes on alone." };
      await transporter.ping();
      const suspects = fleet.suspects.length;
      return { status: "up", nodes, suspects };
    },
  };
}
