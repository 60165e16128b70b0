import type { Metrics } from "../../../mixins/metrics/metrics";
import { DOORS, SUBSCRIPTION_DOOR } from "./doors";

/** What the sockets of one node count. */
export class SocketCounters {
  readonly #clients = new Map([...DOORS, SUBSCRIPTION_DOOR].map(({ audience }) => [audience, 0]));
  /** One a client: ten thousand for one event, so a number and no call. */
  messages_sent = 0;
  /** One a role for an event, one a set of fields for a channel's message; the ratio of the two is what sharing saves. */
  readonly messages_serialised;
  readonly dropped_slow;
  /** Bad token, wrong role, too many. */
  readonly refused;
  readonly resumed;
  readonly resync_required;
  readonly frames_received;
  readonly frames_rotten;
  /** Each is also in the log, as an error. */
  readonly defects;
  /** Subscriptions that are open now. */
  subscriptions = 0;
  /** Messages of channels that may interest subscribers. */
  readonly channel_messages;
  /** Subscriptions whose filters were asked; the ratio to what was sent says how well they are found. */
  subscriptions_asked = 0;

  constructor(metrics: Metrics) {
    const total = (name: string, help: string) => metrics.counter(`forno_socket_${name}_total`, help);
    metrics.total(
      "forno_socket_messages_sent_total",
      "Messages handed to clients.",
      () => this.messages_sent,
    );
    this.messages_serialised = total(
      "messages_serialised",
      "Messages serialised, once a role or set of fields.",
    );
    this.dropped_slow = total("dropped_slow", "Clients dropped because they did not keep up.");
    this.refused = total("refused", "Connections and subscriptions turned away.");
    this.resumed = total("resumed", "Clients that resumed at a position.");
    this.resync_required = total("resync_required", "Clients that had missed too much to resume.");
    this.frames_received = total("frames_received", "Frames from clients.");
    this.frames_rotten = total("frames_rotten", "Frames from clients that made no sense.");
    this.defects = total("defects", "Events whose message could not be made.");
    metrics.gauge(
      "forno_socket_clients",
      "Socket clients now, by audience.",
      () => [...this.#clients].map(([audience, value]) => ({ labels: { audience }, value })),
      ["audience"],
    );
    this.channel_messages = total("channel_messages", "Messages of channels that can be subscribed to.");
    metrics.total(
      "forno_socket_subscriptions_asked_total",
      "Subscriptions whose filters were asked.",
      () => this.subscriptions_asked,
    );
    metrics.gauge("forno_socket_subscriptions", "Open subscriptions.", () => this.subscriptions);
  }

  /** A session of this audience has begun (1) or ended (-1). */
  joined(audience: string, by: 1 | -1): void {
    this.#clients.set(audience, (this.#clients.get(audience) ?? 0) + by);
  }
}
