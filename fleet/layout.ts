import { SERVICE_NAMES } from "../settings";

/** How the services are spread over the nodes. */
export type Layout = "all" | "split";

/** What faces the clients. */
const GATEWAYS: readonly string[] = ["http", "sockets", "grpc"];
const ROOMS = SERVICE_NAMES.filter((name) => !GATEWAYS.includes(name));

/**
 * SERVICES of each node; empty: all. In a `split` fleet the first half, rounded down, are gateways, the others workers
 * that run everything else.
 * @throws RangeError where there are not enough nodes for a layout.
 */
export function servicesOf(layout: Layout, nodes: number): readonly string[] {
  if (layout === "all") return Array.from({ length: nodes }, () => "");
  if (nodes < 2) throw new RangeError("A split fleet needs two nodes at least: a gateway and a worker.");
  return Array.from({ length: nodes }, (_, index) =>
    (index < Math.floor(nodes / 2) ? GATEWAYS : ROOMS).join(","),
  );
}
