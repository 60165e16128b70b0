import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { perBroker } from "../per-broker";

/** Upper bounds of the buckets of a duration, in seconds: from a hot document to a request that gave up. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;
/** A gauge that asks a server which does not answer is left out of the scrape, not waited for. */
const READ_MS_MAX = 1_000;

/** One value of a gauge with labels. */
export interface Sample<L extends string> {
  readonly labels: Readonly<Record<L, string>>;
  readonly value: number;
}

/** What a gauge shows now: its value, or one for each combination of its labels. */
export type Reading<L extends string> = number | readonly Sample<L>[];

/**
 * The metrics of one node: prom-client's, on a registry of their own, because several nodes may share a process. Moleculer's
 * metrics are not used: they wrap every call and cost more than the call itself. Where something happens often, hold on to
 * `histogram.labels(…)` and `counter.labels(…)`: observing through such a child costs some 0.3 µs.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #unread: Counter<"metric">;
  #scrape: Promise<string> | undefined;

  constructor() {
    this.#unread = this.counter(
      "forno_gauge_read_failures_total",
      "Gauges that could not be read at a scrape.",
      ["metric"],
    );
  }

  /** What the body of {@link render} is. */
  get content_type(): string {
    return this.#registry.contentType;
  }

  /** A new histogram. @throws Error when the name is taken. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets: readonly number[] = SECONDS,
  ): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [this.#registry] });
  }

  /** A new counter (`…_total`). @throws Error when the name is taken. */
  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  /** A counter that its owner keeps as a plain number, where even a call were too much; read at each scrape. */
  total(name: string, help: string, read: () => number): void {
    const counter: Counter = new Counter({
      ...{ name, help, registers: [this.#registry] },
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  /**
   * A new gauge that is read at each scrape. One that cannot be read is missing from that scrape and counted.
   * @throws Error when the name is taken.
   */
  gauge<L extends string = never>(
    name: string,
    help: string,
    read: () => Reading<L> | Promise<Reading<L>>,
    labelNames: readonly L[] = [],
  ): void {
    const gauge = new Gauge<L>({
      ...{ name, help, labelNames, registers: [this.#registry] },
      collect: async () => {
        try {
          show(gauge, await inTime(read()));
        } catch {
          // Whatever it needs says so elsewhere, in health and in the log; here it must not take the others along.
          this.#unread.inc({ metric: name });
          show(gauge, []);
        }
      },
    });
  }

  /** Adds those of the process: CPU, memory, heap, garbage collections, lag of the event loop, open files. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Everything in the text format. However many ask at once, the gauges are read once. */
  render(): Promise<string> {
    this.#scrape ??= this.#registry.metrics().finally(() => (this.#scrape = undefined));
    return this.#scrape;
  }
}

function show<L extends string>(gauge: Gauge<L>, reading: Reading<L>): void {
  if (typeof reading === "number") {
    gauge.set(reading);
    return;
  }
  gauge.reset();
  // What `reset` leaves of a gauge without labels is a zero, which would be a lie.
  if (reading.length === 0) gauge.remove({});
  for (const { labels, value } of reading) gauge.set(labels, value);
}

async function inTime<T>(reading: T | Promise<T>): Promise<T> {
  if (!(reading instanceof Promise)) return reading;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("The reading took too long."));
    }, READ_MS_MAX);
  });
  return Promise.race([reading, late]).finally(() => {
    clearTimeout(timer);
  });
}

/** The metrics of this node. */
export const metricsOf = perBroker(() => new Metrics());
