import { Metrics } from "../../../mixins/metrics/metrics";

describe("metrics in the Prometheus text format", () => {
  it("are counters, gauges and cumulative histograms", () => {
    const metrics = new Metrics();
    const orders = metrics.counter("orders_total", "Orders");
    orders({ branch: 'a"b\\\n' }).add(2);
    metrics.gauge("queue", "Waiting", () => [{ labels: { name: "x" }, value: 3 }]);
    const seconds = metrics.histogram("wait_seconds", "Waits", [0.1, 1])({ door: "d" });
    for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value);
    expect(metrics.render()).toBe(
      [
        "# HELP orders_total Orders",
        "# TYPE orders_total counter",
        'orders_total{branch="a\\"b\\\\\\n"} 2',
        "# HELP queue Waiting",
        "# TYPE queue gauge",
        'queue{name="x"} 3',
        "# HELP wait_seconds Waits",
        "# TYPE wait_seconds histogram",
        'wait_seconds_bucket{door="d",le="0.1"} 2',
        'wait_seconds_bucket{door="d",le="1"} 3',
        'wait_seconds_bucket{door="d",le="+Inf"} 4',
        'wait_seconds_sum{door="d"} 7.65',
        'wait_seconds_count{door="d"} 4',
        "",
      ].join("\n"),
    );
  });

  it("have one meaning each", () => {
    const metrics = new Metrics();
    metrics.gauge("a", "A", () => 1);
    expect(() => metrics.counter("a", "B")).toThrow("registered twice");
  });
});
