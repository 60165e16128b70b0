import WebSocket from "ws";
import type { RecordedEvent } from "../../../../../mixins/event-log/event-log";
import { announcementOf } from "../../../../../services/gateway/socket/announcements";
import { Broadcast, controlFrame, Frame } from "../../../../../services/gateway/socket/frame";
import { placed, sampleOrder } from "../../../../support/order-events";

/** The payload of a finished frame, as the client's own parser reads it. */
function payloadOf([frame]: readonly Buffer[]): string {
  const { Receiver } = WebSocket as unknown as { Receiver: new (options: object) => NodeJS.WritableStream };
  const parser = new Receiver({ isServer: false });
  let payload = "";
  parser.on("message", (data: Buffer) => (payload = data.toString()));
  parser.write(frame ?? Buffer.alloc(0));
  return payload;
}

describe("a frame", () => {
  it.each([0, 60, 61, 124, 125, 126, 65_400, 65_535, 70_000])(
    "is a WebSocket frame with %d bytes of data too",
    (length) => {
      const { text, options } = new Frame("order:created", JSON.stringify({ d: "x".repeat(length) })).packet(
        "/erp",
      );
      expect(payloadOf(options.wsPreEncodedFrame)).toBe(`4${text}`);
    },
  );

  it("is a socket.io event named like its type", () => {
    const frame = controlFrame("ready", { a: 'ж"]' }, 0, 7);
    const message = { type: "ready", data: { a: 'ж"]' }, timestamp: "1970-01-01T00:00:00.000Z", position: 7 };
    const [, head, body] = /^(2\/kitchen,)(.*)$/s.exec(frame.packet("/kitchen").text) ?? [];
    expect(head).toBeDefined();
    expect(JSON.parse(body ?? "")).toEqual(["ready", message]);
    expect(JSON.parse(frame.json.toString())).toEqual(message);
  });

  it("is made once for each namespace", () => {
    const frame = controlFrame("pong", {}, 0, 0);
    expect(frame.packet("/erp")).toBe(frame.packet("/erp"));
  });
});

describe("a broadcast", () => {
  const order = sampleOrder();
  const event = {
    ...placed(order),
    position: 3,
    recorded_at: "2026-01-01T00:00:00.123Z",
  } as unknown as RecordedEvent;

  it("is serialised once for each role, and not at all for nobody", () => {
    let serialised = 0;
    const broadcast = new Broadcast(announcementOf(event)!, event, () => serialised++);
    expect(serialised).toBe(0);
    expect(broadcast.frameFor("cook")).toBe(broadcast.frameFor("cook"));
    expect(broadcast.frameFor("manager")).not.toBe(broadcast.frameFor("cook"));
    expect(serialised).toBe(2);
    expect(JSON.parse(broadcast.frameFor("cook")?.text ?? "")).toMatchObject({
      ...{ type: "order:created", timestamp: "2026-01-01T00:00:00.123Z", position: 3 },
      data: { order_id: order.order_id },
    });
  });
});
