import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import type { ServiceSchema } from "moleculer";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import { healthProbesOf, lagProbe } from "../../../mixins/health/health-probes";
import type { SubscriptionDefinition } from "../../../mixins/messaging/subscription";
import { metricsOf } from "../../../mixins/metrics/metrics";
import { httpServerOf } from "../../../mixins/rest/http-server";
import type { Runtime } from "../../../mixins/runtime";
import { measuredPlaces, placesProbe } from "../place-health";
import { placeLimits, type Places } from "../places";
import { CLOSE } from "./close-reasons";
import { DOORS, SUBSCRIPTION_DOOR } from "./doors";
import { SocketHub } from "./hub";
import { NewsSession } from "./news-session";
import { PlainDoor, refuseUpgrade } from "./plain-door";
import type { Entrance, Session, SessionContext } from "./session";
import { SOCKET_LIMITS, type SocketLimits } from "./socket-limits";
import { SocketCounters } from "./socket-metrics";
import { SOCKET_IO_PATH, SocketIoDoor } from "./socketio-door";
import { SubscriptionHub } from "./subscription-hub";
import { SubscriptionSession } from "./subscription-session";
import { SUBSCRIPTIONS } from "./subscriptions";

export interface SocketServiceOptions {
  readonly limits?: Partial<SocketLimits>;
  /** The server whose port the sockets share; the node's HTTP server unless said. */
  readonly server?: HttpServer;
  /** What can be subscribed to; Forno's own entities unless said. */
  readonly subscriptions?: readonly SubscriptionDefinition[];
}

/**
 * Real time: socket.io namespaces and plain WebSockets on the REST port, one hub behind both. Create it after the HTTP
 * service.
 */
export function createSocketService(
  runtime: Runtime,
  verifier: TokenVerifier,
  options: SocketServiceOptions = {},
): ServiceSchema {
  const { limits, subscriptions = SUBSCRIPTIONS } = options;
  const sockets = new Sockets(runtime, verifier, { ...SOCKET_LIMITS, ...limits }, subscriptions);
  return {
    name: "sockets",
    version: 1,
    settings: { $noVersionPrefix: true },
    created: () => sockets.attach(options.server ?? httpServerOf(runtime.broker)),
    started: () => sockets.start(),
    stopped: () => sockets.stop(),
  };
}

/** The sockets of one node: *created* (upgrades are answered 503) → *open* → *stopped*. */
class Sockets {
  readonly #hub: SocketHub;
  readonly #subscriptions: SubscriptionHub;
  readonly #sessions = new Set<Session>();
  readonly #plain: PlainDoor;
  readonly #socketIo: SocketIoDoor;
  readonly #upgraded = new Set<Duplex>();
  #isOpen = false;
  #review: NodeJS.Timeout | undefined;
  readonly #places: Places;
  #removeProbes: (() => void)[] = [];

  constructor(
    private readonly runtime: Runtime,
    verifier: TokenVerifier,
    private readonly limits: SocketLimits,
    subscriptions: readonly SubscriptionDefinition[],
  ) {
    const metrics = metricsOf(runtime.broker);
    const counters = new SocketCounters(metrics);
    this.#hub = new SocketHub(runtime, limits, counters);
    metrics.gauge(
      "forno_socket_position",
      "Position of the log that the sockets have reached.",
      () => this.#hub.position,
    );
    this.#subscriptions = new SubscriptionHub(runtime, subscriptions, counters);
    const context: SessionContext = { runtime, verifier, limits, counters, sessions: this.#sessions };
    const entrances = this.#entrances(context);
    this.#places = measuredPlaces(metrics, "socket", placeLimits(runtime.settings));
    this.#plain = new PlainDoor(context, entrances, this.#places, runtime.settings);
    this.#socketIo = new SocketIoDoor(context, entrances, this.#places, runtime.settings);
  }

  #entrances(context: SessionContext): Entrance[] {
    const news = DOORS.map((door): Entrance => ({
      door,
      open: (wish, connection, place) => new NewsSession(door, wish, connection, context, this.#hub, place),
    }));
    const subscriptions: Entrance = {
      door: SUBSCRIPTION_DOOR,
      open: (_wish, connection, place) =>
        new SubscriptionSession(SUBSCRIPTION_DOOR, connection, context, this.#subscriptions, place),
    };
    return [...news, subscriptions];
  }

  attach(server: HttpServer): void {
    this.#socketIo.attach(server);
    server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => socket.destroy());
      this.#upgraded.add(socket);
      socket.once("close", () => this.#upgraded.delete(socket));
      if (req.url?.startsWith(SOCKET_IO_PATH) === true) return;
      if (!this.#isOpen)
        refuseUpgrade(socket, 503, "server.unavailable", "The server is starting or stopping.");
      else if (!this.#plain.upgrade(req, socket, head))
        refuseUpgrade(socket, 404, "socket.unknown_path", "No WebSocket is served at this path.");
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.#hub.start(), this.#subscriptions.start()]);
    const hub = this.#hub;
    const follower = {
      name: "sockets",
      get position() {
        return hub.position;
      },
    };
    const probes = [lagProbe(follower, this.runtime.log), placesProbe("socket-places", this.#places)];
    this.#removeProbes = probes.map((probe) => healthProbesOf(this.runtime.broker).add(probe));
    this.#review = setInterval(() => this.#reviewAll(), this.limits.review_ms).unref();
    this.#isOpen = true;
    this.#socketIo.open();
  }

  /** Says goodbye to everybody behind what is already queued for them. */
  async stop(): Promise<void> {
    this.#isOpen = false;
    clearInterval(this.#review);
    for (const remove of this.#removeProbes) remove();
    await Promise.all([this.#hub.stop(), this.#subscriptions.stop()]);
    const open = [...this.#sessions];
    for (const { client } of open) client.close(CLOSE.stopping);
    await this.#ended();
    this.#socketIo.close();
    for (const socket of this.#upgraded) socket.destroy();
  }

  /** Resolves when no session is left, or the time for goodbyes is over. */
  async #ended(): Promise<void> {
    const deadline = performance.now() + GOODBYE_MS_MAX;
    while (this.#sessions.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #reviewAll(): void {
    this.#plain.beat(this.runtime.clock.now());
    for (const session of this.#sessions) {
      // Not knowing is no reason to send anybody away: asked again at the next turn.
      session
        .review()
        .catch((error: unknown) =>
          this.runtime.broker.logger.warn("sockets: a token was not reviewed", error),
        );
    }
  }
}

const GOODBYE_MS_MAX = 1_500;
