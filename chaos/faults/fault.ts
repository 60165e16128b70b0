import { setTimeout as pause } from "node:timers/promises";
import type { Fleet } from "../../fleet/fleet";
import type { FleetNode } from "../../fleet/fleet-node";
import type { Strike } from "../schedule";
import type { CuttingProxy } from "./cutting-proxy";

/** A fleet under chaos: its nodes reach PostgreSQL through proxies, by node id. */
export interface Victims {
  readonly fleet: Fleet;
  readonly proxies: ReadonlyMap<string, CuttingProxy>;
}

/** Something that can be done to a fleet, and is undone again. */
export interface Fault {
  /** Why it cannot be done to this fleet; undefined when it can. */
  readonly impossible?: (victims: Victims) => string | undefined;
  /** Does it and undoes it; resolves when everything runs again, with what it hit. @throws Error when something stays down. */
  readonly strike: (victims: Victims, strike: Strike) => Promise<string>;
}

/** The node that a strike means. */
export function nodeOf({ fleet }: Victims, { node }: Pick<Strike, "node">): FleetNode {
  return fleet.node((node % fleet.nodes.length) + 1);
}

export function proxyOf({ proxies }: Victims, { id }: FleetNode): CuttingProxy {
  const proxy = proxies.get(id);
  if (proxy === undefined) throw new Error(`${id} has no proxy.`);
  return proxy;
}

/** Lets a strike's share of the time between two bounds pass. */
export async function away({ away_share }: Strike, min_ms: number, max_ms: number): Promise<void> {
  await pause(min_ms + away_share * (max_ms - min_ms));
}
