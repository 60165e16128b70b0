import { setImmediate as nextTurn } from "node:timers/promises";
import { channelsOf } from "../../../mixins/messaging/channels";
import type { SubscriptionDefinition } from "../../../mixins/messaging/subscription";
import {
  rowOf,
  type CompiledSubscription,
  type SubscriptionRequest,
} from "../../../mixins/messaging/subscription-filter";
import { SubscriptionIndex } from "../../../mixins/messaging/subscription-index";
import type { Runtime } from "../../../mixins/runtime";
import type { Outbox } from "./outbox";
import type { SocketCounters } from "./socket-metrics";
import { DataFrames } from "./subscription-frames";

/** To send so many a message takes some 10 ms, to ask them in vain less; then others on this thread have their turn. */
const CANDIDATES_PER_TURN = 4_000;
/** A mistake of ours that every message meets must not fill the log. */
const COMPLAIN_EVERY_MS = 1_000;

/** What one client wants to hear, under the id that it gave. */
export interface Subscription {
  readonly definition: SubscriptionDefinition;
  readonly id: string;
  /** Whether the client named the id; else its frames are those of clients that know one subscription an entity. */
  readonly named: boolean;
  /** As the client said it: what is made of it changes with the client's rights. */
  readonly request: SubscriptionRequest;
  readonly compiled: CompiledSubscription;
  readonly client: Outbox;
  ended: boolean;
}

interface Entity {
  readonly definition: SubscriptionDefinition;
  readonly index: SubscriptionIndex<Subscription>;
}

/** Hands the messages of channels to those of this node's clients who subscribed to them, once a subscription. */
export class SubscriptionHub {
  readonly #entities: ReadonlyMap<string, Entity>;
  #stops: (() => Promise<void>)[] = [];
  #complained_ms = -Infinity;

  constructor(
    private readonly runtime: Pick<Runtime, "broker" | "redis">,
    definitions: readonly SubscriptionDefinition[],
    private readonly counters: SocketCounters,
  ) {
    this.#entities = new Map(
      definitions.map((definition) => [definition.entity, { definition, index: new SubscriptionIndex() }]),
    );
  }

  /** Resolves when the channels are heard, as far as their servers answer. */
  async start(): Promise<void> {
    const channels = channelsOf(this.runtime);
    const wanted = [...this.#entities.values()].flatMap((entity) =>
      entity.definition.channels.map((channel) => ({ channel, entity })),
    );
    this.#stops = await Promise.all(
      wanted.map(({ channel, entity }) =>
        channels.subscribe(channel, (message) => this.#onMessage(entity, message as object)),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
  }

  /** What can be subscribed to. */
  get entities(): readonly string[] {
    return [...this.#entities.keys()];
  }

  definition(entity: string): SubscriptionDefinition | undefined {
    return this.#entities.get(entity)?.definition;
  }

  add(subscription: Subscription): void {
    this.#entities.get(subscription.definition.entity)?.index.add(subscription);
    this.counters.subscriptions++;
  }

  /** It hears nothing more, not even of a message that is just being handed out. */
  remove(subscription: Subscription): void {
    if (subscription.ended) return;
    subscription.ended = true;
    this.#entities.get(subscription.definition.entity)?.index.delete(subscription);
    this.counters.subscriptions--;
  }

  async #onMessage({ definition, index }: Entity, message: object): Promise<void> {
    const { counters } = this;
    counters.channel_messages.inc();
    const row = rowOf(definition, message);
    const candidates = index.candidates(row);
    counters.subscriptions_asked += candidates.length;
    const frames = new DataFrames(definition.entity, message, () => counters.messages_serialised.inc());
    let asked = 0;
    for (const subscription of candidates) {
      try {
        if (subscription.client.closed) this.remove(subscription);
        const { ended, compiled, client } = subscription;
        if (!ended && compiled.matches(row))
          client.send(frames.frameFor(compiled.fields, subscription.named ? subscription.id : undefined));
      } catch (error) {
        this.#defect(definition.entity, error);
      }
      if (++asked % CANDIDATES_PER_TURN === 0) await nextTurn();
    }
  }

  /** What goes wrong with one subscription costs nobody else the message. */
  #defect(entity: string, error: unknown): void {
    this.counters.defects.inc();
    const now = performance.now();
    if (now - this.#complained_ms < COMPLAIN_EVERY_MS) return;
    this.#complained_ms = now;
    this.runtime.broker.logger.error(`sockets: a subscriber of ${entity} missed a message:`, error);
  }
}
