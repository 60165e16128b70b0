import { HealthProbes, lagProbe, type HealthFinding } from "../../../mixins/health/health-probes";
import { HealthRounds } from "../../../services/ops/health";

describe("a health report", () => {
  let now_ms: number;
  let probes: HealthProbes;
  beforeEach(() => {
    now_ms = 0;
    probes = new HealthProbes();
  });
  const rounds = (timeout_ms = 1_000) => new HealthRounds(probes, { now: () => now_ms }, timeout_ms);
  const add = (name: string, required: boolean, probe: () => Promise<HealthFinding>) =>
    probes.add({ name, required, probe });
  const found = (status: HealthFinding["status"]) => () => Promise.resolve({ status });

  it.each([
    ["up", "up", "up"],
    ["down", "up", "down"],
    ["up", "down", "degraded"],
    ["up", "degraded", "degraded"],
    ["degraded", "up", "degraded"],
    ["up", "off", "up"],
  ] as const)("of a required %s and another %s is %s", async (required, other, status) => {
    add("a", true, found(required));
    add("b", false, found(other));
    expect((await rounds().findings()).status).toBe(status);
  });

  it("takes a probe that fails for down, and keeps what its error says to itself", async () => {
    add("a", true, () =>
      Promise.reject(Object.assign(new Error("password of forno at 10.0.0.7"), { code: "ECONNREFUSED" })),
    );
    const { status, checks } = await rounds().findings();
    expect(status).toBe("down");
    expect(checks["a"]).toMatchObject({ status: "down", detail: "Failed: ECONNREFUSED." });
  });

  it("does not wait for a probe that hangs", async () => {
    add("a", true, () => new Promise(() => undefined));
    expect((await rounds(5).findings()).checks["a"]).toMatchObject({
      status: "down",
      detail: "No answer within 5 ms.",
    });
  });

  it("asks again only when the last round is half a second old", async () => {
    let asked = 0;
    add("a", true, () => Promise.resolve({ status: "up" as const, asked: ++asked }));
    const health = rounds();
    await Promise.all([health.findings(), health.findings()]);
    now_ms = 499;
    await health.findings();
    expect(asked).toBe(1);
    now_ms = 500;
    expect((await health.findings()).checks["a"]).toMatchObject({ asked: 2 });
  });

  it("tells how far a consumer of the log is behind", async () => {
    const follower = { name: "projection:orders", position: 7 };
    const log = { head: () => Promise.resolve(20) };
    expect(await lagProbe(follower, log).probe()).toEqual({ status: "up", position: 7, lag_events: 13 });
    expect((await lagProbe(follower, log, 12).probe()).status).toBe("degraded");
  });
});
