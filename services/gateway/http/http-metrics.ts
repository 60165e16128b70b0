import type { ServiceBroker } from "moleculer";
import { metricsOf, type Counter, type Histogram, type Metrics } from "../../../mixins/metrics/metrics";
import { hotDocumentsOf } from "../../../mixins/rest/hot-documents";
import type { Door } from "./door";
import type { Exchange } from "./exchange";

interface DoorSeries {
  readonly seconds: Histogram;
  readonly statuses: Map<number, Counter>;
}

/** Duration and statuses of requests, by door. Recording one is two map look-ups. */
export class HttpMetrics {
  readonly #series = new Map<Door | undefined, DoorSeries>();
  readonly #seconds: ReturnType<Metrics["histogram"]>;
  readonly #requests: ReturnType<Metrics["counter"]>;

  constructor(metrics: Metrics) {
    this.#seconds = metrics.histogram(
      "http_request_duration_seconds",
      "From the request's head to its answer",
    );
    this.#requests = metrics.counter("http_requests_total", "Requests answered, by door and status");
  }

  record(exchange: Exchange, status: number): void {
    const series = this.#of(exchange.door);
    series.seconds.observe((performance.now() - exchange.started_ms) / 1000);
    let counter = series.statuses.get(status);
    if (counter === undefined) {
      counter = this.#requests({ ...labelsOf(exchange.door), status: String(status) });
      series.statuses.set(status, counter);
    }
    counter.value++;
  }

  #of(door: Door | undefined): DoorSeries {
    let series = this.#series.get(door);
    if (series === undefined) {
      series = { seconds: this.#seconds(labelsOf(door)), statuses: new Map() };
      this.#series.set(door, series);
    }
    return series;
  }
}

/** Requests without a door (unknown paths, refused methods) share one series: their paths are without number. */
function labelsOf(door: Door | undefined): { method: string; route: string } {
  return door === undefined
    ? { method: "", route: "" }
    : { method: door.binding.method, route: door.binding.path };
}

/** Puts the node's metrics at `/metrics`, those of the process among them. */
export function registerMetrics(broker: ServiceBroker): void {
  const metrics = metricsOf(broker);
  metrics.gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  metrics.gauge("nodejs_heap_used_bytes", "Used heap", () => process.memoryUsage().heapUsed);
  metrics.gauge("process_uptime_seconds", "Seconds since the process started", () => process.uptime());
  metrics.gauge("process_cpu_seconds_total", "User and system CPU time", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  hotDocumentsOf(broker).register("/metrics", () => ({
    body: metrics.render(),
    content_type: "text/plain; version=0.0.4; charset=utf-8",
  }));
}
