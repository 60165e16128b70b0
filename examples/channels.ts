import Redis from "ioredis";
import { hearsChannels, type HearingService } from "../mixins/messaging/channel-handlers";
import { channelsOf } from "../mixins/messaging/channels";
import type { Runtime } from "../mixins/runtime";
import { until, withChain, type Print } from "./node";

interface DoorOpened {
  readonly door: string;
}

/** Hears of doors, on every node that runs it. */
function porterService(runtime: Runtime, seen: string[]): HearingService {
  return {
    name: "porter",
    mixins: [hearsChannels(runtime)],
    channels: {
      "door.opened"(message) {
        const { door } = message as DoorOpened;
        seen.push(`${runtime.broker.nodeID}: ${door}`);
      },
      "door.broken"() {
        throw new Error("nobody else notices");
      },
    },
  };
}

/** Channels: publish on one node, hear on all, and programs outside that know only Redis take part. */
export function channelsExample(print: Print): Promise<void> {
  return withChain(async (chain) => {
    const seen: string[] = [];
    const one = await chain.node((runtime) => [porterService(runtime, seen)]);
    await chain.node((runtime) => [porterService(runtime, seen)]);
    const outside = new Redis(chain.redis_url);
    try {
      await until("both nodes are heard at Redis", async () => {
        const subscribed = (await outside.pubsub("NUMSUB", "door.opened")) as [string, number];
        return subscribed[1] === 2;
      });
      await channelsOf(one).publish("door.broken", { door: "cellar" });
      await channelsOf(one).publish("door.opened", { door: "kitchen" });
      await until("both have heard", () => seen.length === 2);
      await outside.publish("door.opened", JSON.stringify({ door: "yard" }));
      await until("both have heard the outsider", () => seen.length === 4);
      for (const line of [...seen].sort()) print(line);
    } finally {
      outside.disconnect();
    }
  });
}
