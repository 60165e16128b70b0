import { randomBytes } from "node:crypto";
import type { Context } from "moleculer";
import { metricsOf } from "../metrics/metrics";
import type { Runtime } from "../runtime";
import type { Channels, OnMessage } from "./channels";
import { Listener } from "./listener";
import { HeardSoFar, readMessage, withOrigin } from "./origin";
import { BROKER_EVENT, Outgoing, type Sent } from "./outgoing";
import { RedisEar } from "./redis-ear";

const TEXT_CHARS_MAX = 200_000;

interface Heeded {
  readonly listeners: Set<Listener>;
  /** Settled once Redis has been asked for it. */
  readonly wanted: Promise<void>;
}

/** The channels of one node. See {@link Channels} for what they promise. */
export class FleetChannels implements Channels {
  readonly #node: string;
  readonly #heeded = new Map<string, Heeded>();
  readonly #heard = new HeardSoFar();
  readonly #outgoing: Outgoing;
  readonly #ear: RedisEar | undefined;
  readonly #logger;
  readonly #lost;
  readonly #published;
  readonly #received;
  #n = 0;

  constructor({ broker, redis }: Pick<Runtime, "broker" | "redis">) {
    // A process that comes back under its name counts anew.
    this.#node = `${broker.nodeID}/${randomBytes(4).toString("hex")}`;
    this.#logger = broker.getLogger("channels");
    const metrics = metricsOf(broker);
    this.#published = metrics.counter("forno_channels_published_total", "Messages published by this node.");
    this.#received = metrics.counter("forno_channels_received_total", "Messages that came from elsewhere.");
    this.#lost = metrics.counter("forno_channels_lost_total", "Messages that were not handed over.", ["why"]);
    this.#outgoing = new Outgoing(broker, redis, (why, count) => {
      this.#lost.inc({ why }, count);
    });
    if (redis !== undefined)
      this.#ear = new RedisEar(redis, (channel, text) => this.#hear(channel, text), this.#logger);
    broker.createService({
      name: "channels",
      events: {
        [BROKER_EVENT]: ({ params, nodeID }: Context<readonly Sent[]>) => {
          if (nodeID !== broker.nodeID) for (const [channel, text] of params) this.#hear(channel, text);
        },
      },
      stopped: () => {
        this.#outgoing.close();
        this.#ear?.close();
        return Promise.resolve();
      },
    });
  }

  publish(channel: string, message: object): Promise<void> {
    this.#published.inc();
    const json = JSON.stringify(message);
    this.#hand(channel, message, json.length);
    if (this.#outgoing.alone) return Promise.resolve();
    const origin = { node: this.#node, n: (this.#n += 1) };
    const text = withOrigin(json, origin);
    if (text.length <= TEXT_CHARS_MAX) this.#outgoing.send([channel, text]);
    else this.#lost.inc({ why: "too_long" });
    return Promise.resolve();
  }

  async subscribe(channel: string, on: OnMessage): Promise<() => Promise<void>> {
    const listener = new Listener(on, this.#logger, (why, count) => {
      this.#lost.inc({ why }, count);
    });
    let heeded = this.#heeded.get(channel);
    if (heeded === undefined) {
      heeded = { listeners: new Set(), wanted: this.#ear?.want(channel) ?? Promise.resolve() };
      this.#heeded.set(channel, heeded);
    }
    const { listeners, wanted } = heeded;
    listeners.add(listener);
    await wanted;
    return async () => {
      listener.stop();
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#heeded.delete(channel);
      await this.#ear?.leave(channel);
    };
  }

  /** What came from elsewhere, or back from Redis. */
  #hear(channel: string, text: string): void {
    if (!this.#heeded.has(channel)) return;
    const read = readMessage(text);
    if (read === undefined) this.#lost.inc({ why: "unreadable" });
    else if (read.origin?.node === this.#node) return;
    else if (read.origin !== undefined && !this.#heard.isNew(read.origin)) this.#lost.inc({ why: "late" });
    else {
      this.#received.inc();
      this.#hand(channel, read.message, text.length);
    }
  }

  #hand(channel: string, message: object, chars: number): void {
    for (const listener of this.#heeded.get(channel)?.listeners ?? []) listener.hand(channel, message, chars);
  }
}
