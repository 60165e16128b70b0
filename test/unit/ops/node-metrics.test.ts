import { registerActorHost } from "../../../mixins/actor/actor-registry";
import { Metrics } from "../../../mixins/metrics/metrics";
import { registerConsumer } from "../../../mixins/projection/consumer-registry";
import { registerNodeMetrics } from "../../../services/ops/node-metrics";
import { MemoryLog } from "../../support/memory-log";

describe("the node's gauges", () => {
  it("show the log's head, who is how far behind it, and how many actors live", async () => {
    const log = new MemoryLog();
    const metrics = new Metrics();
    registerNodeMetrics(metrics, log);
    for (let i = 0; i < 5; i++) log.write({ type: "test.happened", data: {} });
    registerConsumer(log, { name: "orders", kind: "projection", position: 3, state: "working" });
    const actor = { stream_id: "order-1", version: 1, waiting: 0, idle_ms: 0 };
    const stop = registerActorHost(log, "order", {
      list: () => [actor, actor],
      evict: () => Promise.resolve(true),
    });
    const shown = await metrics.render();
    expect(shown).toContain("\nforno_log_head_position 5\n");
    expect(shown).toContain('\nforno_consumer_lag_events{name="orders",kind="projection"} 2\n');
    expect(shown).toContain('\nforno_actors_live{kind="order"} 2\n');
    stop();
    expect(await metrics.render()).not.toContain("forno_actors_live{");
  });
});
