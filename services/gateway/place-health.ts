import type { HealthFinding, HealthProbe } from "../../mixins/health/health-probes";
import type { Metrics } from "../../mixins/metrics/metrics";
import { Places, type Group, type PlaceLimits } from "./places";

const GROUPS = ["guests", "customers", "staff"] as const satisfies readonly Group[];

/**
 * The places of a gateway, with what metrics tell of them.
 * @param name of the gateway in metric names: `forno_<name>_places`.
 */
export function measuredPlaces(metrics: Metrics, name: string, limits: PlaceLimits): Places {
  const refused = metrics.counter(
    `forno_${name}_places_refused_total`,
    "Who was turned away because their group had no place left for them.",
    ["who"],
  );
  const places = new Places(limits, (who) => refused.inc({ who }));
  metrics.gauge(
    `forno_${name}_places`,
    "Places taken now, by who has them; waiting: not signed in yet.",
    () => [
      ...GROUPS.map((who) => ({ labels: { who }, value: places.taken[who] })),
      { labels: { who: "waiting" }, value: places.waiting },
    ],
    ["who"],
  );
  metrics.gauge(
    `forno_${name}_places_max`,
    "Places that there are, by who may have them.",
    () => [
      ...GROUPS.map((who) => ({ labels: { who }, value: limits.group_max[who] })),
      { labels: { who: "waiting" }, value: limits.waiting_max },
    ],
    ["who"],
  );
  return places;
}

/** Degraded while a group has no place left. Not required: who is there is served, and a restart would make no room. */
export function placesProbe(name: string, places: Places): HealthProbe {
  return {
    name,
    required: false,
    probe() {
      const { taken, limits } = places;
      const full = GROUPS.filter((who) => taken[who] >= limits.group_max[who]);
      const finding: HealthFinding = {
        ...{ status: full.length > 0 ? "degraded" : "up", ...taken, waiting: places.waiting },
        ...(full.length === 0 ? {} : { detail: `No place is left for ${full.join(" and ")}.` }),
      };
      return Promise.resolve(finding);
    },
  };
}
