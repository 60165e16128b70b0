import type { HealthProbe } from "../health/health-probes";
import type { Metrics } from "../metrics/metrics";
import type { DatabaseClock } from "./database-clock";

/** Beyond that somebody should set a clock. */
const OFFSET_MS_MAX = 2_000;

/**
 * Whether this node's own clock goes with the database's. Never required: whatever it shows, the node decides by the
 * database's time; its log lines and certificates' dates go by its own.
 */
export function clockProbe(clock: DatabaseClock): HealthProbe {
  return {
    name: "clock",
    required: false,
    probe() {
      const { reading } = clock;
      if (reading === undefined) return Promise.resolve({ status: "off" });
      const [offset_ms, ahead_ms] = [Math.round(reading.offset_ms), Math.round(reading.ahead_ms)];
      const detail = complaint(offset_ms, ahead_ms, reading.uncertain_ms);
      const figures = { offset_ms, ahead_ms, uncertain_ms: Math.ceil(reading.uncertain_ms) };
      return Promise.resolve({
        status: detail === undefined ? "up" : "degraded",
        ...figures,
        ...(detail === undefined ? {} : { detail }),
      });
    },
  };
}

function complaint(offset_ms: number, ahead_ms: number, uncertain_ms: number): string | undefined {
  if (Math.abs(offset_ms) - uncertain_ms > OFFSET_MS_MAX)
    return `This node's clock is ${far(offset_ms)} the database's, by whose time it decides: set one of them (NTP).`;
  if (ahead_ms > OFFSET_MS_MAX)
    return `The database's clock was set back; this node is ${far(ahead_ms)} it and waits at half the pace.`;
  return undefined;
}

const far = (ms: number): string =>
  `${(Math.abs(ms) / 1_000).toFixed(1)} s ${ms < 0 ? "behind" : "ahead of"}`;

/** The offset as a gauge. */
export function registerClockMetrics(metrics: Metrics, clock: DatabaseClock): void {
  metrics.gauge(
    "forno_clock_offset_seconds",
    "By how much this node's own clock is ahead of the database's.",
    () => (clock.reading?.offset_ms ?? 0) / 1_000,
  );
}
