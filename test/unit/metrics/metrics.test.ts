import { Metrics } from "../../../mixins/metrics/metrics";

const linesOf = async (metrics: Metrics, name: string): Promise<string[]> =>
  (await metrics.render()).split("\n").filter((line) => line.includes(name));

describe("metrics in the Prometheus text format", () => {
  it("are counters, gauges and cumulative histograms", async () => {
    const metrics = new Metrics();
    metrics.counter("orders_total", "Orders", ["branch"]).labels({ branch: 'a"b\\\n' }).inc(2);
    metrics.gauge("queue", "Waiting", () => [{ labels: { name: "x" }, value: 3 }], ["name"]);
    const seconds = metrics.histogram("wait_seconds", "Waits", ["door"], [0.1, 1]).labels({ door: "d" });
    for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value);
    expect(await linesOf(metrics, "orders_total")).toEqual([
      "# HELP orders_total Orders",
      "# TYPE orders_total counter",
      'orders_total{branch="a\\"b\\\\\\n"} 2',
    ]);
    expect(await linesOf(metrics, "queue")).toContain('queue{name="x"} 3');
    expect((await linesOf(metrics, "wait_seconds")).slice(2)).toEqual([
      'wait_seconds_bucket{le="0.1",door="d"} 2',
      'wait_seconds_bucket{le="1",door="d"} 3',
      'wait_seconds_bucket{le="+Inf",door="d"} 4',
      'wait_seconds_sum{door="d"} 7.65',
      'wait_seconds_count{door="d"} 4',
    ]);
  });

  it("have one meaning each", () => {
    const metrics = new Metrics();
    metrics.gauge("a", "A", () => 1);
    expect(() => metrics.counter("a", "B")).toThrow("already been registered");
  });

  it("belong to one node, though several share a process", async () => {
    const [one, other] = [new Metrics(), new Metrics()];
    one.counter("a_total", "A").inc();
    other.counter("a_total", "A");
    expect(await linesOf(one, "a_total 1")).toHaveLength(1);
    expect(await linesOf(other, "a_total 0")).toHaveLength(1);
  });

  it("may be totals that their owner keeps", async () => {
    const metrics = new Metrics();
    let sent = 2;
    metrics.total("sent_total", "Sent", () => sent);
    expect(await linesOf(metrics, "sent_total 2")).toHaveLength(1);
    sent = 5;
    expect((await linesOf(metrics, "sent_total")).slice(1)).toEqual([
      "# TYPE sent_total counter",
      "sent_total 5",
    ]);
  });

  it("show what is there now, not what was", async () => {
    const metrics = new Metrics();
    let kinds = ["order", "kitchen-day"];
    metrics.gauge("live", "Live", () => kinds.map((kind) => ({ labels: { kind }, value: 1 })), ["kind"]);
    expect(await linesOf(metrics, "live{")).toHaveLength(2);
    kinds = ["order"];
    expect(await linesOf(metrics, "live{")).toEqual(['live{kind="order"} 1']);
  });

  it("leave out and count a gauge that cannot be read", async () => {
    const metrics = new Metrics();
    let isDown = false;
    const read = (): Promise<number> => (isDown ? Promise.reject(new Error("down")) : Promise.resolve(7));
    metrics.gauge("head", "Head", read);
    metrics.gauge("other", "Other", () => 1);
    expect(await linesOf(metrics, "head ")).toContain("head 7");
    isDown = true;
    expect(await linesOf(metrics, "head ")).not.toContainEqual(expect.stringMatching(/^head /));
    const failures = await linesOf(metrics, "forno_gauge_read_failures_total{");
    expect(failures).toEqual([
      expect.stringMatching(/^forno_gauge_read_failures_total\{metric="head"\} [12]$/),
    ]);
    expect(await linesOf(metrics, "other 1")).toHaveLength(1);
  });

  it("read each gauge once for all who ask at the same time", async () => {
    const metrics = new Metrics();
    let reads = 0;
    metrics.gauge("reads", "Reads", () => ++reads);
    const answers = await Promise.all(Array.from({ length: 10 }, () => metrics.render()));
    expect(new Set(answers).size).toBe(1);
    expect(reads).toBe(1);
  });
});
