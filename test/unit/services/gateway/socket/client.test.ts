import { GUEST } from "../../../../../mixins/contract/caller";
import { Metrics } from "../../../../../mixins/metrics/metrics";
import { Client } from "../../../../../services/gateway/socket/client";
import type { CloseReason } from "../../../../../services/gateway/socket/close-reasons";
import type { Frame } from "../../../../../services/gateway/socket/frame";
import { controlFrame } from "../../../../../services/gateway/socket/frame";
import { SOCKET_LIMITS } from "../../../../../services/gateway/socket/socket-limits";
import { SocketCounters } from "../../../../../services/gateway/socket/socket-metrics";

function clientWith(limits: Partial<typeof SOCKET_LIMITS>) {
  const written: (() => void)[] = [];
  const closed: CloseReason[] = [];
  const connection = {
    send: (_frame: Frame, done: () => void) => void written.push(done),
    close: (reason: CloseReason) => void closed.push(reason),
  };
  const counters = new SocketCounters(new Metrics());
  return {
    client: new Client("shop", GUEST, connection, { ...SOCKET_LIMITS, ...limits }, counters),
    written,
    closed,
  };
}
const frame = controlFrame("pong", {}, 0, 0);

describe("a client's queue", () => {
  it("holds so many messages; one more drops the client by name, once", () => {
    const { client, written, closed } = clientWith({ waiting_messages_max: 3 });
    for (let i = 0; i < 6; i++) client.send(frame);
    expect(written).toHaveLength(3);
    expect(closed).toEqual([{ code: 4413, reason: "socket.slow_consumer" }]);
  });

  it("holds so many bytes", () => {
    const { client, written, closed } = clientWith({ waiting_bytes_max: frame.json.length * 2 });
    for (let i = 0; i < 3; i++) client.send(frame);
    expect([written.length, closed.length]).toEqual([2, 1]);
  });

  it("never drops a client that takes what it is given", () => {
    const { client, written, closed } = clientWith({ waiting_messages_max: 1 });
    for (let i = 0; i < 100; i++) {
      client.send(frame);
      written.at(-1)?.();
    }
    expect([written.length, closed.length]).toEqual([100, 0]);
  });

  it("is drained when all is written, or the client is gone", async () => {
    const { client, written } = clientWith({});
    await client.drained();
    client.send(frame);
    client.send(frame);
    let drained = false;
    const waiting = client.drained().then(() => (drained = true));
    written[0]?.();
    await Promise.resolve();
    expect(drained).toBe(false);
    written[1]?.();
    await waiting;
    client.send(frame);
    const other = client.drained();
    client.gone();
    await other;
  });
});
