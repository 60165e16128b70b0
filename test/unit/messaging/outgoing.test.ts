import type { ServiceBroker } from "moleculer";
import { Outgoing, type Sent } from "../../../mixins/messaging/outgoing";
import { eventually } from "../../support/eventually";

it("what waits for a server that hangs is bounded by its length, and the oldest goes", async () => {
  const batches: (readonly Sent[])[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const broker = {
    transit: { connected: true },
    broadcast: (_event: string, batch: readonly Sent[]) => {
      batches.push(batch);
      return held;
    },
  } as unknown as ServiceBroker;
  const lost: [string, number][] = [];
  const outgoing = new Outgoing(broker, undefined, (...what) => void lost.push(what));
  outgoing.send(["c", "first"]);
  await eventually(() => {
    expect(batches).toHaveLength(1);
  });
  // The same text, so that the test is shorter of memory than it says.
  const text = "x".repeat(200_000);
  for (let n = 0; n < 170; n += 1) outgoing.send([String(n), text]);
  expect(lost).toEqual(Array.from({ length: 10 }, () => ["slow_server", 1]));
  release();
  await eventually(() => {
    expect(batches.flat().map(([channel]) => channel)).toEqual([
      "c",
      ...Array.from({ length: 160 }, (_, n) => String(n + 10)),
    ]);
  });
});
