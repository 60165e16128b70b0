import type { Role } from "../../../mixins/contract/caller";
import type { Client } from "./client";
import type { Audience } from "./doors";
import type { Broadcast } from "./frame";

/** All live clients that get the same bytes: same audience, same role; indexed by what they hear. */
export class AudienceClass {
  readonly #byTopic = new Map<string, Set<Client>>();
  #size = 0;

  constructor(
    readonly audience: Audience,
    readonly role: Role,
  ) {}

  get size(): number {
    return this.#size;
  }

  add(client: Client): void {
    this.#size++;
    for (const topic of client.topics) {
      const listeners = this.#byTopic.get(topic);
      if (listeners === undefined) this.#byTopic.set(topic, new Set([client]));
      else listeners.add(client);
    }
  }

  remove(client: Client): void {
    this.#size--;
    for (const topic of client.topics) {
      const listeners = this.#byTopic.get(topic);
      listeners?.delete(client);
      if (listeners?.size === 0) this.#byTopic.delete(topic);
    }
  }

  /** Hands the message to all whom it concerns. It is serialised only if there is somebody, and then once. */
  deliver(broadcast: Broadcast): void {
    const { announcement, position } = broadcast;
    if (!announcement.audiences.includes(this.audience)) return;
    for (const topic of announcement.topics) {
      const listeners = this.#byTopic.get(topic);
      if (listeners === undefined) continue;
      const frame = broadcast.frameFor(this.role);
      if (frame === null) return;
      for (const client of listeners) {
        // Heard already: by another of its topics, or because it caught up from the log further than the hub had come.
        if (client.position >= position) continue;
        // Sent first: a client that is dropped by this very message is to come back for it.
        client.send(frame);
        client.position = position;
      }
    }
  }
}
