import type { ServiceBroker } from "moleculer";
import type { Runtime } from "../runtime";
import { FleetChannels } from "./fleet-channels";

/**
 * Words of this room:
 *
 * - **channel**: a name that anybody publishes to and any number of listeners hear, on all nodes. With Redis it is Redis'
 *   channel of that name, so that programs outside hear the same and may speak, too.
 * - **way**: how messages come to other nodes: through Redis, or while that does not answer through the broker (NATS).
 * - **origin**: the member that a message carries on its way: which process sent it, as its how-manieth.
 */

/** Gets each message in turn; a promise is waited for before the next. Messages are shared with other listeners: do not change them. */
export type OnMessage = (message: unknown, channel: string) => void | Promise<void>;

/**
 * Messages that are news, not facts: facts travel by the log.
 *
 * Promises: what one node publishes, each listener hears at most once and in that order, listeners of the same node also while
 * every server is away. No promise: that it arrives. What waits for a slow listener or a slow server is bounded, and then the
 * oldest goes; each loss is counted (`forno_channels_lost_total`). A listener that throws or is slow holds up nobody else.
 */
export interface Channels {
  /**
   * Resolves at once: this node's listeners have it in their queues, and it is on its way to the others. Never rejects.
   * @param message a plain object that JSON can carry, without a member `origin`; at most 200 000 characters of JSON.
   */
  publish(channel: string, message: object): Promise<void>;
  /**
   * From when it resolves on, messages of this node are heard, and those of others where Redis or the broker answers; what is
   * away now is heard as soon as it is back. Resolves with "stop", after which the listener is not called any more.
   */
  subscribe(channel: string, on: OnMessage): Promise<() => Promise<void>>;
}

const made = new WeakMap<ServiceBroker, FleetChannels>();

/** The channels of this node; made at the first call, closed when the broker stops. */
export function channelsOf(runtime: Pick<Runtime, "broker" | "redis">): Channels {
  const { broker } = runtime;
  let channels = made.get(broker);
  if (channels === undefined) {
    channels = new FleetChannels(runtime);
    made.set(broker, channels);
  }
  return channels;
}
