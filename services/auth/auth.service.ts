import type { ServiceSchema } from "moleculer";
import type { Runtime } from "../../mixins/runtime";
import { accountActions } from "./account.actions";
import type { AuthRoom } from "./auth-room";
import { signInActions } from "./sign-in.actions";

const HOUR_MS = 3_600_000;

/** Signing in and out, and accounts. The room is opened before ({@link openAuthRoom}), also on nodes without this service. */
export function createAuthService(runtime: Runtime, room: AuthRoom): ServiceSchema {
  const context = { runtime, room };
  let sweeper: NodeJS.Timeout | undefined;
  return {
    name: "auth",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: { ...signInActions(context), ...accountActions(context) },
    started() {
      const sweep = (): void => {
        Promise.all([room.attempts.sweep(), room.sessions.sweep()]).catch((error: unknown) => {
          runtime.broker.logger.warn("Old sessions and login counters stay for another hour:", error);
        });
      };
      sweep();
      sweeper = setInterval(sweep, HOUR_MS);
      sweeper.unref();
      return Promise.resolve();
    },
    stopped() {
      clearInterval(sweeper);
      return Promise.resolve();
    },
  };
}
