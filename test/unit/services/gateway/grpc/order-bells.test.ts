import { LogFeed } from "../../../../../mixins/event-feed/log-feed";
import { Bell, OrderBells } from "../../../../../services/gateway/grpc/order-bells";
import { MemoryLog } from "../../../../support/memory-log";

const LONG_MS = 60_000;
const silent = { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() };

/** Whether something has settled by the end of this turn of the event loop. */
const inThisTurn = (hearing: Promise<void>): Promise<string> =>
  Promise.race([
    hearing.then(() => "heard"),
    new Promise<string>((resolve) => setImmediate(resolve, "still waiting")),
  ]);

describe("a bell", () => {
  it("is heard at once when it rang while nobody listened", async () => {
    const bell = new Bell(() => undefined);
    bell.silence();
    bell.ring();
    await expect(inThisTurn(bell.heard(LONG_MS))).resolves.toBe("heard");
  });

  it("is not heard for what was silenced", async () => {
    const bell = new Bell(() => undefined);
    bell.ring();
    bell.silence();
    await expect(inThisTurn(bell.heard(LONG_MS))).resolves.toBe("still waiting");
  });

  it("is heard when it rings, and not before", async () => {
    const bell = new Bell(() => undefined);
    let heard = false;
    const hearing = bell.heard(LONG_MS).then(() => (heard = true));
    await new Promise(setImmediate);
    expect(heard).toBe(false);
    bell.ring();
    await hearing;
  });

  it("lets a patient listener go after a while, and rings for the next one", async () => {
    const bell = new Bell(() => undefined);
    await bell.heard(1);
    const again = bell.heard(LONG_MS);
    bell.ring();
    await expect(inThisTurn(again)).resolves.toBe("heard");
  });
});

describe("the bells of a node", () => {
  it("ring for their own stream only, and are forgotten when removed", async () => {
    const log = new MemoryLog();
    const bells = new OrderBells({ log, feed: new LogFeed({ log, logger: silent }) });
    await bells.start();
    const [mine, other] = [bells.on("order-1"), bells.on("order-2")];
    let otherRang = false;
    void other.heard(LONG_MS).then(() => (otherRang = true));
    const rung = mine.heard(LONG_MS);
    log.write({ type: "order.placed", data: {}, stream_id: "order-1" });
    await rung;
    await new Promise(setImmediate);
    expect(otherRang).toBe(false);
    mine.remove();
    mine.remove();
    expect(bells.count).toBe(1);
    await bells.stop();
    await new Promise(setImmediate);
    expect(otherRang).toBe(true);
  });
});
