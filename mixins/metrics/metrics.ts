import { perBroker } from "../per-broker";

/** Upper bounds of the buckets of a duration, in seconds: from a hot document to a request that gave up. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

export type Labels = Readonly<Record<string, string>>;

/** Values counted into buckets. Observing costs a short scan and two additions: no map, no string. */
export class Histogram {
  readonly #counts: number[];
  #sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] ?? Infinity)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** Its lines in the text format; buckets are cumulative there. */
  lines(name: string, labels: Labels): string[] {
    let total = 0;
    const buckets = this.#counts.map((count, i) => {
      total += count;
      const le = i < this.bounds.length ? String(this.bounds[i]) : "+Inf";
      return `${name}_bucket${labelText({ ...labels, le })} ${String(total)}`;
    });
    const text = labelText(labels);
    return [...buckets, `${name}_sum${text} ${String(this.#sum)}`, `${name}_count${text} ${String(total)}`];
  }
}

/** Counts up. Hold on to it: looking it up is what costs. */
export class Counter {
  value = 0;

  add(amount = 1): void {
    this.value += amount;
  }
}

/** One value of a gauge, read when somebody scrapes. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

interface Family {
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly lines: () => string[];
}

/**
 * The metrics of one node, in the Prometheus text format. Moleculer's own registry is not used: it wraps every call and
 * costs more than the call itself; here a series is an object that its owner holds and adds to.
 */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /** A new family of histograms; the returned function makes one series of it. */
  histogram(name: string, help: string, bounds: readonly number[] = SECONDS): (labels?: Labels) => Histogram {
    const series: { labels: Labels; of: Histogram }[] = [];
    this.#add(name, {
      help,
      type: "histogram",
      lines: () => series.flatMap((one) => one.of.lines(name, one.labels)),
    });
    return (labels = {}) => {
      const of = new Histogram(bounds);
      series.push({ labels, of });
      return of;
    };
  }

  /** A new family of counters (`…_total`); the returned function makes one series of it. */
  counter(name: string, help: string): (labels?: Labels) => Counter {
    const series: { text: string; of: Counter }[] = [];
    this.#add(name, {
      help,
      type: "counter",
      lines: () => series.map(({ text, of }) => `${name}${text} ${String(of.value)}`),
    });
    return (labels = {}) => {
      const of = new Counter();
      series.push({ text: labelText(labels), of });
      return of;
    };
  }

  /** A gauge that is read at each scrape. */
  gauge(name: string, help: string, read: () => number | readonly Sample[]): void {
    const samples = (): readonly Sample[] => {
      const value = read();
      return typeof value === "number" ? [{ value }] : value;
    };
    this.#add(name, {
      help,
      type: "gauge",
      lines: () => samples().map(({ labels, value }) => `${name}${labelText(labels ?? {})} ${String(value)}`),
    });
  }

  #add(name: string, family: Family): void {
    if (this.#families.has(name)) throw new Error(`The metric ${name} is registered twice.`);
    this.#families.set(name, family);
  }

  /** Everything, in the text exposition format 0.0.4. */
  render(): string {
    const blocks = [...this.#families].map(([name, { help, type, lines }]) =>
      [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines()].join("\n"),
    );
    return `${blocks.join("\n")}\n`;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** The metrics of this node. */
export const metricsOf = perBroker(() => new Metrics());
