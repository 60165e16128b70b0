import { setTimeout as pause } from "node:timers/promises";
import type { Fleet } from "../../fleet/fleet";
import type { SynchronousStandby } from "../../fleet/synchronous-standby";
import type { FleetNode } from "../../fleet/fleet-node";
import type { CheckpointWatch } from "../evidence/checkpoint-watch";
import type { Strike } from "../schedule";
import type { CuttingProxy } from "./cutting-proxy";
import type { Line } from "./line";

/** How one node reaches the servers. */
export interface NodeLines {
  readonly postgres: CuttingProxy;
  readonly nats?: Line;
  readonly redis?: Line;
}

/** A fleet under chaos: its nodes reach the servers through proxies, by node id. */
export interface Victims {
  readonly fleet: Fleet;
  readonly lines: ReadonlyMap<string, NodeLines>;
  readonly watch: CheckpointWatch;
  /** Tells who listens that what was heard beyond a position never was: the log has lost what nobody was promised. */
  readonly rewind: (position: number) => void;
  /** Of the run: what a strike starts lies there. */
  readonly folder: string;
  /** Has a server that a strike has started stopped at the end. */
  readonly leftBehind: (server: Pick<SynchronousStandby, "stop">) => void;
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

export function linesOf({ lines }: Victims, { id }: FleetNode): NodeLines {
  const own = lines.get(id);
  if (own === undefined) throw new Error(`${id} has no proxies.`);
  return own;
}

/** Lets a strike's share of the time between two bounds pass. */
export async function away({ away_share }: Strike, min_ms: number, max_ms: number): Promise<void> {
  await pause(min_ms + away_share * (max_ms - min_ms));
}
