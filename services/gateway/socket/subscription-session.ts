import type { Caller } from "../../../mixins/contract/caller";
import { isRefusal, refuse, type Refusal } from "../../../mixins/contract/refusal";
import {
  compileSubscription,
  type CompiledSubscription,
} from "../../../mixins/messaging/subscription-filter";
import type { Place } from "../places";
import type { Identity } from "./admission";
import type { Door } from "./doors";
import { Outbox, type Connection } from "./outbox";
import { Session, type Complaint, type SessionContext } from "./session";
import {
  answerFrame,
  readSubscriberFrame,
  type Subscribe,
  type SubscriberFrame,
  type Unsubscribe,
} from "./subscription-frames";
import type { Subscription, SubscriptionHub } from "./subscription-hub";

/** A session that hears what it subscribes to, as long as its token allows it. */
export class SubscriptionSession extends Session<SubscriberFrame> {
  protected readonly read = readSubscriberFrame;
  /** By id. */
  readonly #subscriptions = new Map<string, Subscription>();

  constructor(
    door: Door,
    connection: Connection,
    private readonly context: SessionContext,
    private readonly hub: SubscriptionHub,
    place: Place,
  ) {
    const { limits, counters } = context;
    const own = { ...limits, waiting_bytes_max: limits.subscriber_waiting_bytes_max };
    super(door, new Outbox(connection, own, counters), context, place);
  }

  protected enter(identity: Identity): void {
    this.admitted(identity);
    this.client.send(answerFrame("connection_ack", { connection_id: this.context.runtime.ids.uuid() }));
  }

  protected tellAuthenticated({ role }: Caller): void {
    this.client.send(answerFrame("authenticated", { role }));
  }

  /** Every subscription is made anew; one that names what is not allowed any more ends. */
  protected rightsChanged(_before: Caller, now: Caller): void {
    for (const { definition, id, named, request } of [...this.#subscriptions.values()]) {
      const again = compileSubscription(definition, request, now);
      this.#end(id);
      if (isRefusal(again)) this.complain(again, id);
      else this.#keep({ definition, id, named, request, compiled: again, client: this.client, ended: false });
    }
  }

  protected handle(frame: SubscriberFrame): void {
    switch (frame.type) {
      case "ping": {
        this.client.send(answerFrame("pong"));
        return;
      }
      case "subscribe": {
        const refusal = this.#subscribe(frame);
        if (refusal === undefined) return;
        this.context.counters.refused.inc();
        this.complain(refusal, frame.id);
        return;
      }
      case "unsubscribe": {
        this.#unsubscribe(frame);
        return;
      }
    }
  }

  protected leave(): void {
    for (const subscription of this.#subscriptions.values()) this.hub.remove(subscription);
    this.#subscriptions.clear();
  }

  /** `message` is what clients of before there were codes read. */
  protected complain({ code, detail, data }: Complaint, id?: string): void {
    const about = id === undefined ? {} : { id };
    this.client.send(answerFrame("error", { ...data, ...about, code, detail, message: detail }));
  }

  /** All that the frame asks for, or nothing. */
  #subscribe({ id, payload }: Subscribe): Refusal | undefined {
    const { caller } = this;
    if (caller === undefined) return refuse("unauthorized", "auth.required", "Sign in first.");
    const wanted = Object.entries(payload);
    if (id !== undefined && wanted.length > 1)
      return refuse(
        "invalid",
        "subscription.one_entity",
        "An id stands for one entity; name them one by one.",
      );
    const subscriptions: Subscription[] = [];
    for (const [entity, request] of wanted) {
      const definition = this.hub.definition(entity);
      if (definition === undefined)
        return refuse(
          "not_found",
          "subscription.unknown_entity",
          "There is nothing of this name to subscribe to.",
          {
            ...{ entity, known: this.hub.entities },
          },
        );
      const compiled = compileSubscription(definition, request, caller);
      if (isRefusal(compiled)) return compiled;
      const named = id !== undefined;
      subscriptions.push({
        definition,
        id: id ?? entity,
        named,
        request,
        compiled,
        client: this.client,
        ended: false,
      });
    }
    const tooMany = this.#tooMany(subscriptions);
    if (tooMany !== undefined) return tooMany;
    for (const subscription of subscriptions) {
      this.#end(subscription.id);
      this.#tellSubscribed(subscription);
      this.#keep(subscription);
    }
    return undefined;
  }

  #tooMany(more: readonly Subscription[]): Refusal | undefined {
    const { subscriptions_max, filter_values_max } = this.context.limits;
    const after = new Map<string, { readonly compiled: CompiledSubscription }>(this.#subscriptions);
    for (const subscription of more) after.set(subscription.id, subscription);
    if (after.size > subscriptions_max)
      return refuse(
        "rate_limited",
        "subscription.too_many",
        `At most ${subscriptions_max} subscriptions on one connection.`,
      );
    const values = [...after.values()].reduce((sum, { compiled }) => sum + compiled.value_count, 0);
    if (values > filter_values_max)
      return refuse(
        "rate_limited",
        "subscription.too_many_values",
        `At most ${filter_values_max} values in all filters of one connection.`,
      );
    return undefined;
  }

  #tellSubscribed({ definition, id, compiled }: Subscription): void {
    const { entity, channels } = definition;
    const { filters, fields } = compiled;
    this.client.send(answerFrame("subscribed", { id, entity, channel: channels[0], filters, fields }));
  }

  #keep(subscription: Subscription): void {
    // Dropped by the very answer: whoever is gone has left already, and nobody would take it out again.
    if (this.client.closed) return;
    this.#subscriptions.set(subscription.id, subscription);
    this.hub.add(subscription);
  }

  #end(id: string): boolean {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return false;
    this.#subscriptions.delete(id);
    this.hub.remove(subscription);
    return true;
  }

  #unsubscribe({ id, payload }: Unsubscribe): void {
    const entities = payload?.entities ?? [];
    const meant = [...this.#subscriptions.values()].filter(
      (one) => one.id === id || entities.includes(one.definition.entity),
    );
    for (const subscription of meant) {
      this.#end(subscription.id);
      const { entity } = subscription.definition;
      this.client.send(answerFrame("unsubscribed", { id: subscription.id, entity }));
    }
    if (meant.length > 0) return;
    this.complain(refuse("not_found", "subscription.unknown", "There is no such subscription."), id);
  }
}
