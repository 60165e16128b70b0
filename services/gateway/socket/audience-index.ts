import type { Role } from "../../../mixins/contract/caller";
import type { Client } from "./client";
import type { Broadcast } from "./frame";

const NOBODY: ReadonlyMap<Role, Set<Client>> = new Map();

/** The live clients of one audience, by what entitles them to hear of something and how they see it then. */
export class AudienceIndex {
  readonly #byTopic = new Map<string, Map<Role, Set<Client>>>();

  add(client: Client): void {
    for (const [topic, role] of client.entitlements) {
      const byRole = this.#byTopic.get(topic) ?? new Map<Role, Set<Client>>();
      this.#byTopic.set(topic, byRole);
      const clients = byRole.get(role);
      if (clients === undefined) byRole.set(role, new Set([client]));
      else clients.add(client);
    }
  }

  remove(client: Client): void {
    for (const [topic, role] of client.entitlements) {
      const byRole = this.#byTopic.get(topic);
      const clients = byRole?.get(role);
      clients?.delete(client);
      if (clients?.size === 0) byRole?.delete(role);
      if (byRole?.size === 0) this.#byTopic.delete(topic);
    }
  }

  /**
   * Hands the message to all whom it concerns, each by the strongest of their entitlements that shows it at all. A role's
   * form of it is serialised only if there is somebody, and then once.
   */
  deliver(broadcast: Broadcast): void {
    const { announcement, position } = broadcast;
    for (const topic of announcement.topics) {
      for (const [role, clients] of this.#byTopic.get(topic) ?? NOBODY) {
        const frame = broadcast.frameFor(role);
        if (frame === null) continue;
        for (const client of clients) {
          // Shown already: by a stronger entitlement, or because it caught up from the log further than the hub had come.
          if (client.position >= position) continue;
          // Sent first: a client that is dropped by this very message is to come back for it.
          client.send(frame);
          client.position = position;
        }
      }
    }
  }
}
