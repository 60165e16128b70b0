import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation, protoPath as healthProto } from "grpc-health-check";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import { healthProbesOf } from "../../../mixins/health/health-probes";
import { readinessOf } from "../../../mixins/health/readiness";
import { metricsOf } from "../../../mixins/metrics/metrics";
import type { Runtime } from "../../../mixins/runtime";
import { callLimitsOf } from "../call-limits";
import { clientAddresses } from "../http/client-address";
import { measuredPlaces, placesProbe } from "../place-health";
import { placeLimits, type Places } from "../places";
import { unary, type GrpcContext } from "./grpc-call";
import { OrderBells } from "./order-bells";
import { orderMethods } from "./order-methods";
import { loadOrderPackage, ORDER_SERVICE, orderServiceOf } from "./order-proto";
import { watchOrder } from "./watch-order";

/** An order of 100 lines has some 20 KB. */
const MESSAGE_BYTES_MAX = 256 * 1024;
const STREAMS_PER_CONNECTION = 256;
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** How long calls under way may take when the node stops. */
const GOODBYE_MS_MAX = 2_000;
const READINESS_POLL_MS = 100;
const HEALTH_SERVICE = "grpc.health.v1.Health";

/** gRPC: `forno.order.v1.OrderService`, standard health checking (reflects the node's readiness) and server reflection. */
export function createGrpcService(runtime: Runtime, verifier: TokenVerifier): ServiceSchema {
  const gateway = new GrpcGateway(runtime, verifier);
  return {
    name: "grpc",
    version: 1,
    settings: { $noVersionPrefix: true },
    async started() {
      const port = await gateway.start();
      runtime.broker.logger.info(`gRPC listens on port ${port}`);
      ports.set(runtime.broker, port);
    },
    stopped: () => gateway.stop(),
  };
}

const ports = new WeakMap<ServiceBroker, number>();

/** The port that a node's gRPC server listens on. @throws Error before it does. */
export function grpcPortOf(broker: ServiceBroker): number {
  const port = ports.get(broker);
  if (port === undefined) throw new Error("The gRPC server does not listen yet.");
  return port;
}

/** The gRPC server of one node. */
class GrpcGateway {
  readonly #server = new Server({
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_concurrent_streams": STREAMS_PER_CONNECTION,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
  });
  readonly #health = new HealthImplementation();
  readonly #bells: OrderBells;
  readonly #places: Places;
  #removeProbe: (() => void) | undefined;
  #poll: NodeJS.Timeout | undefined;
  #serving: boolean | undefined;

  constructor(
    private readonly runtime: Runtime,
    verifier: TokenVerifier,
  ) {
    this.#bells = new OrderBells(runtime);
    this.#places = measuredPlaces(metricsOf(runtime.broker), "grpc", placeLimits(runtime.settings));
    const orders = loadOrderPackage();
    const addressOf = clientAddresses(runtime.settings.TRUSTED_PROXIES);
    this.#server.addService(
      orderServiceOf(orders),
      orderService(
        { runtime, verifier, addressOf, limits: callLimitsOf(runtime) },
        { bells: this.#bells, places: this.#places },
      ),
    );
    this.#health.addToServer(this.#server);
    const health = loadSync(healthProto, { keepCase: true });
    new ReflectionService(
      { ...orders, ...health },
      { services: [ORDER_SERVICE, HEALTH_SERVICE] },
    ).addToServer(this.#server);
    metricsOf(runtime.broker).gauge(
      "forno_grpc_watches",
      "Orders being watched over gRPC.",
      () => this.#bells.count,
    );
  }

  /** Listens; resolves with the port. */
  async start(): Promise<number> {
    this.#reflectReadiness();
    await this.#bells.start();
    this.#removeProbe = healthProbesOf(this.runtime.broker).add(placesProbe("grpc-places", this.#places));
    const { HOST, GRPC_PORT } = this.runtime.settings;
    const address = `${HOST.includes(":") ? `[${HOST}]` : HOST}:${GRPC_PORT}`;
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(new Error(`gRPC cannot listen on ${address}: ${error.message}`, { cause: error }));
      });
    });
    this.#poll = setInterval(() => this.#reflectReadiness(), READINESS_POLL_MS).unref();
    return port;
  }

  /** Ends the streams, lets calls under way finish, then cuts. */
  async stop(): Promise<void> {
    clearInterval(this.#poll);
    this.#removeProbe?.();
    this.#show(false);
    await this.#bells.stop();
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, GOODBYE_MS_MAX);
      this.#server.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }

  #reflectReadiness(): void {
    this.#show(readinessOf(this.runtime.broker).phase === "ready");
  }

  #show(serving: boolean): void {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const service of ["", ORDER_SERVICE])
      this.#health.setStatus(service, serving ? "SERVING" : "NOT_SERVING");
  }
}

function orderService(
  context: GrpcContext,
  watching: Parameters<typeof watchOrder>[1],
): UntypedServiceImplementation {
  const methods = orderMethods();
  return {
    CreateOrder: unary(context, methods.createOrder),
    GetOrder: unary(context, methods.getOrder),
    CancelOrder: unary(context, methods.cancelOrder),
    ListSlots: unary(context, methods.listSlots),
    WatchOrder: watchOrder(context, watching),
  };
}
