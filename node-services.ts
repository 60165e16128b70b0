import path from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { healthProbesOf } from "./mixins/health/health-probes";
import type { Runtime } from "./mixins/runtime";
import { PERSONAL_RECORDS } from "./personal-data";
import type { AuthRoom } from "./services/auth/auth-room";
import { authContracts } from "./services/auth/auth.contract";
import { createAuthService } from "./services/auth/auth.service";
import { branchContracts } from "./services/branch/branch.contract";
import { createBranchService } from "./services/branch/branch.service";
import { legalEntityContracts } from "./services/branch/legal-entity.contract";
import { cartContracts } from "./services/cart/cart.contract";
import { createCartService } from "./services/cart/cart.service";
import { createGrpcService } from "./services/gateway/grpc/grpc.service";
import { createHttpService } from "./services/gateway/http/http.service";
import { createSocketService } from "./services/gateway/socket/socket.service";
import { menuContracts } from "./services/menu/menu.contract";
import { createMenuService } from "./services/menu/menu.service";
import { cameraCacheContracts } from "./services/camera-cache/camera-cache.contract";
import { createCameraCacheService } from "./services/camera-cache/camera-cache.service";
import { cameraEventsContracts } from "./services/camera/camera-events.contract";
import { cameraContracts } from "./services/camera/camera.contract";
import { customerContracts } from "./services/customer/customer.contract";
import { createCustomerService } from "./services/customer/customer.service";
import { createCameraService } from "./services/camera/camera.service";
import { createMirrorService } from "./services/mirror/mirror.service";
import { getMetrics, opsContracts } from "./services/ops/ops.contract";
import { createOpsService } from "./services/ops/ops.service";
import { orderContracts } from "./services/order/order.contract";
import { createOrderService } from "./services/order/order.service";
import { profileContracts } from "./services/profile/profile.contract";
import { createProfileService } from "./services/profile/profile.service";
import { quotaContracts } from "./services/quota/quota.contract";
import { createQuotaService } from "./services/quota/quota.service";
import { createRelayService } from "./services/relay/relay.service";
import { shopContracts } from "./services/shop/shop.contract";
import { createShopService } from "./services/shop/shop.service";
import { slotContracts } from "./services/slot/slot.contract";
import { createSlotService } from "./services/slot/slot.service";
import { viewsContracts } from "./services/views/views.contract";
import { createViewsService } from "./services/views/views.service";
import type { ServiceName } from "./settings";

/** What a service is made with. */
interface Parts {
  readonly runtime: Runtime;
  readonly room: AuthRoom;
}
/** Undefined: under these settings it has nothing to do. */
type Create = (parts: Parts) => ServiceSchema | undefined;

const GATEWAYS = ["http", "sockets", "grpc"] as const;
type GatewayName = (typeof GATEWAYS)[number];

/** What works behind the gateways. */
const ROOMS: Readonly<Record<Exclude<ServiceName, GatewayName>, Create>> = {
  branch: ({ runtime }) => createBranchService(runtime),
  menu: ({ runtime }) => createMenuService(runtime),
  slot: ({ runtime }) => createSlotService(runtime),
  quota: ({ runtime }) => createQuotaService(runtime),
  order: ({ runtime }) => createOrderService(runtime),
  auth: ({ runtime, room }) => createAuthService(runtime, room),
  cart: ({ runtime }) => createCartService(runtime),
  profile: ({ runtime }) => createProfileService(runtime),
  shop: ({ runtime }) => createShopService(runtime),
  views: ({ runtime }) => createViewsService(runtime),
  customer: ({ runtime }) => createCustomerService(runtime, PERSONAL_RECORDS),
  ops: ({ runtime }) => createOpsService(runtime),
  camera: ({ runtime }) => createCameraService(runtime),
  "camera-cache": ({ runtime }) => createCameraCacheService(runtime),
  mirror: ({ runtime }) => runtime.redis && createMirrorService(runtime, runtime.redis),
  relay: ({ runtime }) => runtime.kafka && createRelayService(runtime, runtime.kafka),
};

/** Behind every door of a gateway; on this node or another. */
const NEEDED_BY_GATEWAYS = ["branch", "menu", "slot", "quota", "order", "auth"] as const;
/** Makes the first data. A service, so that others can wait for it, also on other nodes. */
const FIRST_START = "first-start";
/** Health and metrics of a node without `http`. */
const PROBES = "probes";

const CONTRACTS = [
  ...orderContracts,
  ...slotContracts,
  ...quotaContracts,
  ...menuContracts,
  ...branchContracts,
  ...legalEntityContracts,
  ...authContracts,
  ...cartContracts,
  ...profileContracts,
  ...shopContracts,
  ...viewsContracts,
  ...customerContracts,
  ...cameraContracts,
  ...cameraEventsContracts,
  ...cameraCacheContracts,
];

/**
 * The services that SERVICES names for this node, and what every node has: `ops`, whose health is this node's own, and a
 * server on PORT that answers for it. The first data is made where branches are opened; gateways on the same node wait for
 * it, so that nobody meets an empty menu.
 */
export function nodeServices(parts: Parts, makeFirstData: () => Promise<void>): ServiceSchema[] {
  const { runtime, room } = parts;
  const wanted = new Set<ServiceName>([...runtime.settings.SERVICES, "ops"]);
  const rooms = Object.entries(ROOMS).flatMap(([name, create]) =>
    wanted.has(name as ServiceName) ? (create(parts) ?? []) : [],
  );
  const here = NEEDED_BY_GATEWAYS.filter((name) => wanted.has(name));
  const first: ServiceSchema = { name: FIRST_START, dependencies: here, started: makeFirstData };
  const makesFirstData = wanted.has("branch");
  const gateways: ServiceSchema[] = [httpService(parts, wanted.has("http"))];
  if (wanted.has("sockets")) gateways.push(createSocketService(runtime, room.verifier));
  if (wanted.has("grpc")) gateways.push(createGrpcService(runtime, room.verifier));
  return makesFirstData
    ? [...rooms, first, ...gateways.map((schema) => ({ ...schema, dependencies: [FIRST_START] }))]
    : [...rooms, ...gateways];
}

/** The whole gateway, or what monitors need of it. */
function httpService({ runtime, room }: Parts, whole: boolean): ServiceSchema {
  const ops = opsContracts.filter((contract) => contract !== getMetrics || runtime.settings.METRICS === "on");
  if (!whole) return { ...createHttpService(runtime, ops, room.verifier), name: PROBES };
  return createHttpService(runtime, [...CONTRACTS, ...ops], room.verifier, {
    pages: { folder: path.join(__dirname, "web"), rewrites: { "/track/": "/track.html" } },
  });
}

/** Services of other nodes without which a gateway of this one has nothing behind its doors. */
export function neededElsewhere({ settings }: Pick<Runtime, "settings">): readonly string[] {
  const here: readonly string[] = settings.SERVICES;
  if (!GATEWAYS.some((name) => here.includes(name))) return [];
  const rooms = NEEDED_BY_GATEWAYS.filter((name) => !here.includes(name));
  return here.includes("branch") ? rooms : [...rooms, FIRST_START];
}

/** Resolves when other nodes run all that is needed of them; from then on health says when that is no longer so. */
export async function othersReady(broker: ServiceBroker, needed: readonly string[]): Promise<void> {
  if (needed.length === 0) return;
  healthProbesOf(broker).add({
    name: "rooms",
    required: true,
    probe() {
      const there = new Set(broker.registry.getServiceList({ onlyAvailable: true }).map(({ name }) => name));
      const missing = needed.filter((name) => !there.has(name));
      if (missing.length === 0) return Promise.resolve({ status: "up" });
      return Promise.resolve({ status: "down", detail: `No node runs ${missing.join(", ")}.` });
    },
  });
  await broker.waitForServices([...needed], 0, LOOK_EVERY_MS, broker.getLogger("forno"));
}

const LOOK_EVERY_MS = 50;

/** Stops what takes requests from outside, together: HTTP's server closes once the sockets are gone. */
export async function stopGateways(broker: ServiceBroker): Promise<void> {
  const doors: readonly string[] = [...GATEWAYS, PROBES];
  const open = broker.services.filter(({ name }) => doors.includes(name));
  await Promise.all(open.map((service) => broker.destroyService(service)));
}
