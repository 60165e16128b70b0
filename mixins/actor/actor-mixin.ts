import type { ServiceSchema } from "moleculer";
import type { ActorHost } from "./actor-host";

/** Ties a host's life to its service's: when the service stops, what is under way is finished and nothing further taken. */
export function actorMixin(host: Pick<ActorHost<never, never>, "stop">): Partial<ServiceSchema> {
  return {
    async stopped(): Promise<void> {
      await host.stop();
    },
  };
}
