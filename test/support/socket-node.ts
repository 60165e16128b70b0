import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { randomBytes, randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import type { Caller } from "../../mixins/contract/caller";
import { implement } from "../../mixins/contract/implement";
import { refuse, RefusedError, type Refusal } from "../../mixins/contract/refusal";
import type { TokenVerifier, VerifiedCaller } from "../../mixins/contract/token-verifier";
import { LogFeed } from "../../mixins/event-feed/log-feed";
import type { EventLog } from "../../mixins/event-log/event-log";
import type { Clock, Runtime } from "../../mixins/runtime";
import { createSocketService, type SocketServiceOptions } from "../../services/gateway/socket/socket.service";
import { trackOrder } from "../../services/order/order.contract";
import { orderViewFor } from "../../services/order/order.view";
import { loadSettings } from "../../settings";
import { BRANCH_A, placed, sampleOrder } from "./order-events";

/** Time that stands still until it is moved. */
export class HeldClock implements Clock {
  #now = Date.UTC(2026, 0, 1, 10);
  now(): number {
    return this.#now;
  }
  advance(ms: number): void {
    this.#now += ms;
  }
}

interface Issued {
  readonly caller: VerifiedCaller;
  readonly expires_ms: number;
  readonly revoked?: true;
}

/** Tokens that mean what the test says, for as long as it says. */
export class TestVerifier implements TokenVerifier {
  readonly #known = new Map<string, Issued>();
  constructor(private readonly clock: Clock) {}

  issue(role: Caller["role"], who: Partial<Caller> = {}, ttl_ms = Infinity): string {
    const token = `${role}-${randomUUID()}`;
    const caller = {
      role,
      user_id: randomUUID(),
      branch_ids: role === "customer" ? null : [BRANCH_A],
      ...who,
    };
    this.#known.set(token, { caller, expires_ms: this.clock.now() + ttl_ms });
    return token;
  }

  /** The token is no good any more, as after a change of its user's rights. */
  revoke(token: string): void {
    this.#known.set(token, { ...this.#of(token), revoked: true });
  }

  verify(token: string): Promise<VerifiedCaller | Refusal> {
    const known = this.#known.get(token);
    if (known === undefined)
      return Promise.resolve(refuse("unauthorized", "auth.token_invalid", "Bad token."));
    if (known.expires_ms <= this.clock.now())
      return Promise.resolve(refuse("unauthorized", "auth.token_expired", "Expired token."));
    if (known.revoked === true)
      return Promise.resolve(refuse("unauthorized", "auth.token_revoked", "Revoked token."));
    return Promise.resolve(known.caller);
  }

  #of(token: string): Issued {
    const known = this.#known.get(token);
    if (known === undefined) throw new Error(`${token} was not issued`);
    return known;
  }
}

/** One node with nothing but the sockets on a log, on a port of its own. */
export interface SocketNode {
  readonly runtime: Runtime;
  readonly clock: HeldClock;
  readonly verifier: TestVerifier;
  readonly port: number;
  readonly server: Server;
  /** Tracking tokens that `order.track` knows, and their orders. */
  readonly tracked: Map<string, string>;
  readonly logged: unknown[][];
  stop(): Promise<void>;
}

export async function startSocketNode(
  log: EventLog,
  limits: SocketServiceOptions["limits"] = {},
  shared: Pick<SocketServiceOptions, "subscriptions"> &
    Pick<Runtime, "redis"> & { clock?: HeldClock; verifier?: TestVerifier } = {},
  env: Readonly<Record<string, string>> = {},
): Promise<SocketNode> {
  const clock = shared.clock ?? new HeldClock();
  const verifier = shared.verifier ?? new TestVerifier(clock);
  const logged: unknown[][] = [];
  const broker = new ServiceBroker({ nodeID: `test-${randomUUID()}`, logger: false, validator: false });
  broker.logger.error = (...args: unknown[]) => void logged.push(args);
  const feed = new LogFeed({ log, logger: broker.logger });
  const ids = { uuid: randomUUID, token: () => randomBytes(16).toString("base64url") };
  const { redis, subscriptions } = shared;
  const parts = { settings: loadSettings(env), broker, log, feed, clock, ids };
  const runtime = { ...parts, ...(redis === undefined ? {} : { redis }) } as unknown as Runtime;
  const server = createServer((_req, res) => res.writeHead(404).end());
  const tracked = new Map<string, string>();
  broker.createService(orderRoom(tracked));
  broker.createService(
    createSocketService(runtime, verifier, {
      ...{ server, limits: { review_ms: 20, ...limits } },
      ...(subscriptions === undefined ? {} : { subscriptions }),
    }),
  );
  await broker.start();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    await broker.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { runtime, clock, verifier, port, server, tracked, logged, stop };
}

/** What the sockets need of the order room. */
function orderRoom(tracked: ReadonlyMap<string, string>) {
  return {
    name: "order",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: {
      track: implement(trackOrder, ({ params }) => {
        const order_id = tracked.get(params.token);
        if (order_id === undefined)
          throw new RefusedError(refuse("not_found", "order.unknown", "No such order."));
        return orderViewFor("guest", placed(sampleOrder({ order_id })).data);
      }),
    },
  };
}
