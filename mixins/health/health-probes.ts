import type { EventLog, Position } from "../event-log/event-log";
import { perBroker } from "../per-broker";

/** What a probe found. `detail` and the like end up in the public health report: figures, no secrets, no addresses. */
export interface HealthFinding {
  /** `degraded`: it works, but worse than it should; `off`: not configured, and that is fine. */
  readonly status: "up" | "degraded" | "down" | "off";
  readonly detail?: string;
  readonly [figure: string]: string | number | boolean | null | undefined;
}

/** One thing that this node's health depends on, and how to ask it. */
export interface HealthProbe {
  readonly name: string;
  /** Without a required one Forno cannot do its work (503); without another it does it worse. */
  readonly required: boolean;
  /** Really asks. May reject or hang: the report then says "down". */
  probe(): Promise<HealthFinding>;
}

/** The probes of one node, by name. */
export class HealthProbes {
  readonly #probes = new Map<string, HealthProbe>();

  /** Adds a probe; returns "remove". */
  add(probe: HealthProbe): () => void {
    if (this.#probes.has(probe.name)) throw new Error(`The health probe ${probe.name} is registered twice.`);
    this.#probes.set(probe.name, probe);
    return () => {
      this.#probes.delete(probe.name);
    };
  }

  all(): readonly HealthProbe[] {
    return [...this.#probes.values()];
  }
}

/** Anything whose reading position can be compared with the log's head: a projection host, a feed handle. */
interface Follower {
  readonly name: string;
  readonly position: Position;
}

/**
 * How far a consumer of the log is behind, in events. Beyond `lag_max` it is degraded, never down: a consumer that lags
 * makes reads old, it does not stop anybody from ordering.
 */
export function lagProbe(follower: Follower, log: Pick<EventLog, "head">, lag_max = 10_000): HealthProbe {
  return {
    name: follower.name,
    required: false,
    async probe() {
      const head = await log.head();
      const { position } = follower;
      const lag_events = Math.max(0, head - position);
      return { status: lag_events > lag_max ? "degraded" : "up", position, lag_events };
    },
  };
}

/** The probes of this node. */
export const healthProbesOf = perBroker(() => new HealthProbes());
