import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import WebSocket from "ws";
import type { Caller } from "../mixins/contract/caller";
import { refuse } from "../mixins/contract/refusal";
import { channelsOf } from "../mixins/messaging/channels";
import { defineSubscription } from "../mixins/messaging/subscription";
import { createSocketService } from "../services/gateway/socket/socket.service";
import { until, withChain, type Print } from "./node";

/** What a node lets its clients subscribe to: fields, operators, and who may hear of what. */
const doorEvents = defineSubscription({
  entity: "DoorEvents",
  channels: ["door.opened"],
  fields: { door: "text", branch_id: "text", at: "time", photo: "json" },
  filters: { door: ["eq", "in", "icontains"], at: ["gte", "lte"] },
  guard: { field: "branch_id", allowed: ({ branch_ids }) => branch_ids ?? "all" },
});

const manager: Caller = { role: "manager", user_id: "anna", branch_ids: ["centre"] };

/** Subscriptions: a client over a plain WebSocket hears what it asked for, and only of its own branch. */
export function subscriptionsExample(print: Print): Promise<void> {
  return withChain(async (chain) => {
    const server = createServer();
    const verifier = {
      verify: (token: string) =>
        Promise.resolve(
          token === "anna's" ? manager : refuse("unauthorized", "auth.token_invalid", "Sign in first."),
        ),
    };
    const runtime = await chain.node((node) => [
      createSocketService(node, verifier, { server, subscriptions: [doorEvents] }),
    ]);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${String(port)}/subscribe?access_token=anna's`);
    const frames: string[] = [];
    client.on("message", (bytes: Buffer) => frames.push(bytes.toString()));
    const told = (text: string) => until(text, () => frames.some((frame) => frame.includes(text)));
    try {
      await told("connection_ack");
      const say = (frame: object) => client.send(JSON.stringify(frame));
      const DoorEvents = { filters: { door__icontains: "kitchen" }, fields: ["door", "at"] };
      say({ type: "subscribe", id: "1", payload: { DoorEvents } });
      await told("subscribed");
      say({ type: "subscribe", id: "2", payload: { DoorEvents: { filters: { colour__eq: "red" } } } });
      await told("subscription.unknown_filter");

      const at = "2026-03-02T12:00:00.000Z";
      for (const [door, branch_id] of [
        ["Kitchen", "harbour"],
        ["Cellar", "centre"],
        ["Kitchen, rear", "centre"],
      ])
        await channelsOf(runtime).publish("door.opened", { door, branch_id, at, photo: "…" });
      await told("rear");
      for (const frame of frames.slice(1)) print(frame);
    } finally {
      client.terminate();
      server.closeAllConnections();
      server.close();
    }
  });
}
