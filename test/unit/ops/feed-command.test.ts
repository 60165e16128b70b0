import type { EventFeed, SwitchableFeed, SwitchableStatus } from "../../../mixins/event-feed/event-feed";
import { feedProbe } from "../../../mixins/event-feed/feed-health";
import { feedCommand } from "../../../services/ops/feed-command";

const log = { head: () => Promise.resolve(20_000) };
const fromLog: EventFeed = {
  subscribe: () => {
    throw new Error("not here");
  },
  status: () => ({ source: "log", position: 19_990 }),
};

function switchable(status: Partial<SwitchableStatus> = {}): SwitchableFeed & { chosen: string[] } {
  const chosen: string[] = [];
  return {
    ...fromLog,
    chosen,
    status: () => ({
      ...{ source: "kafka", choice: "auto", reason: undefined, joined: true, switches: 3 },
      ...{ position: 19_990, kafka_position: 19_980 },
      ...status,
    }),
    switchTo: (choice) => void chosen.push(choice),
  };
}

describe("feed at the prompt", () => {
  test("status shows source, choice and lags", async () => {
    expect(await feedCommand({ feed: switchable(), log }, "status", undefined)).toEqual([
      {
        ...{ source: "kafka", choice: "auto", reason: "", joined: true, position: 19_990 },
        ...{ lag: 10, kafka_lag: 20, switches: 3 },
      },
    ]);
  });

  test.each(["log", "kafka", "auto"])("switch %s is passed on, and the status shown", async (choice) => {
    const feed = switchable();
    expect(await feedCommand({ feed, log }, "switch", choice)).toHaveLength(1);
    expect(feed.chosen).toEqual([choice]);
  });

  test.each([
    ["switch", "nats"],
    ["switch", undefined],
    ["dance", "log"],
  ])("%s %s is answered by how it is meant", async (what, choice) => {
    const feed = switchable();
    expect(await feedCommand({ feed, log }, what, choice)).toBe("feed status · feed switch log|kafka|auto");
    expect(feed.chosen).toEqual([]);
  });

  test("without Kafka there is nothing to switch", async () => {
    expect(await feedCommand({ feed: fromLog, log }, "switch", "kafka")).toContain(
      "KAFKA_BROKERS is not set",
    );
  });
});

describe("health of the feed", () => {
  const find = (feed: EventFeed) => feedProbe(feed, log).probe();

  test("straight from the log: its lag", async () => {
    expect(await find(fromLog)).toEqual({ status: "up", source: "log", lag_events: 10 });
    const behind = { ...fromLog, status: () => ({ source: "log" as const, position: 1 }) };
    expect(await find(behind)).toMatchObject({ status: "degraded", lag_events: 19_999 });
  });

  test("by Kafka: source, choice, membership", async () => {
    expect(await find(switchable())).toEqual({
      ...{ status: "up", source: "kafka", lag_events: 10, choice: "auto", joined: true, switches: 3 },
    });
  });

  test.each([
    ["late", "degraded"],
    ["starting", "up"],
    ["interrupted", "up"],
    ["chosen", "up"],
  ] as const)("from the log because of %s: %s, and says why", async (reason, status) => {
    const found = await find(switchable({ source: "log", reason }));
    expect(found).toMatchObject({ status, source: "log", detail: expect.stringMatching(/log/) as unknown });
  });
});
