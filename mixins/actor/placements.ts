import { metricsOf } from "../metrics/metrics";
import { perBroker } from "../per-broker";

/** Where actors of one kind are placed, for operators. */
export interface Placement {
  /** How their stream ids begin. */
  readonly streams: string;
  /** The nodes that may have one of them, the owner first. */
  where(stream_id: string): readonly string[];
}

/** Commands since the start; plain numbers, because a counter's call is more than a look-up in memory costs. */
export interface Tally {
  /** Decided on this node. */
  locally: number;
  /** Decided on the node where the actor lives. */
  remotely: number;
  /** Nodes that did not answer, so that the next was asked. */
  failed_over: number;
}

/** The placed actors of one node. */
class Placements {
  readonly tally: Tally = { locally: 0, remotely: 0, failed_over: 0 };
  readonly #placements: Placement[] = [];

  add(placement: Placement): void {
    this.#placements.push(placement);
  }

  /** The nodes that may have this actor, the owner first; undefined when actors of its kind are not placed. */
  where(stream_id: string): readonly string[] | undefined {
    return this.#placements.find(({ streams }) => stream_id.startsWith(streams))?.where(stream_id);
  }
}

/** The placed actors of a node, counted in its metrics. */
export const placementsOf = perBroker((broker) => {
  const placements = new Placements();
  const { tally } = placements;
  const metrics = metricsOf(broker);
  metrics.total(
    "forno_actor_told_locally_total",
    "Commands that this node's own actors decided.",
    () => tally.locally,
  );
  metrics.total(
    "forno_actor_told_remotely_total",
    "Commands sent to actors of other nodes.",
    () => tally.remotely,
  );
  metrics.total(
    "forno_actor_failovers_total",
    "Times that a node with the actor did not answer and the next was asked.",
    () => tally.failed_over,
  );
  return placements;
});
