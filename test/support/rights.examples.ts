import { randomUUID } from "node:crypto";
import { GUEST_PHONE, trackTokenOf, type Chain, type Placed } from "./chain";

/** A request that gets as far as the question who may ask it. */
export interface Example {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A branch and what belongs to it: the asking staff works at one of two, and the asking customer has ordered there. */
export interface Place {
  readonly branch_id: string;
  /** The caller's own order where the place is theirs. */
  readonly order: Placed;
  readonly camera_id: string;
  readonly mac_address: string;
  readonly review_id: string;
  /** Makes a further one, for requests that use it up. */
  order_more(): Promise<Placed>;
  camera_more(): Promise<string>;
  key_more(): Promise<string>;
  review_more(): Promise<string>;
}

type Made = Example | Promise<Example>;
/** `anywhere`: it concerns no branch and nobody's own things. `at`: asked at the caller's place and at a foreign one. */
export type Asked =
  | { readonly anywhere: (chain: Chain, place: Place) => Made }
  | { readonly at: (place: Place, chain: Chain) => Made };

const NOTHING = (): Example => ({});
const nobody = (): string => randomUUID();
const inBranch = ({ branch_id }: Place): Example => ({ query: { branch_id } });
const ofOrder = ({ order }: Place): Example => ({ path: { order_id: order.order_id } });
const ofReview = ({ review_id }: Place): Example => ({ path: { review_id } });
const ofSlot =
  (body: object) =>
  ({ order }: Place): Example => ({ path: { slot_id: order.slot.slot_id }, body });
const PASSWORD = "tall umbrella kiosk 41";
const soon = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

const item = () => ({
  kind: "pizza",
  name: { ru: `Проба ${randomUUID()}`, en: `Probe ${randomUUID()}` },
  price_minor: 50_000,
});
const sale = (chain: Chain) => ({
  name: { ru: "Проба", en: "Probe" },
  item_ids: [chain.dish("Pepperoni").id],
  starts_at: soon(1_000),
  ends_at: soon(1_001),
  percent: 5,
});
const promo = () => ({ code: `P${randomUUID().slice(0, 8)}`, percent: 5 });
const post = () => {
  const text = { ru: "Проба", en: "Probe" };
  return { title: text, body: text, status: "published" };
};

/** A thing that the super admin makes, by the id that its answer gives under a name. */
async function made(chain: Chain, path: string, body: object, id: string): Promise<string> {
  const answer = await chain.desk("POST", path, body);
  const flat = { ...answer.body, ...(Object.values(answer.body).find(isObject) ?? {}) } as Record<
    string,
    unknown
  >;
  const value = flat[id] ?? flat["id"];
  if (typeof value !== "string")
    throw new Error(`POST ${path} gives no ${id}: ${JSON.stringify(answer.body)}`);
  return value;
}
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const menuItem = (chain: Chain) => made(chain, "/api/v1/menu/items", item(), "item_id");
const saleOf = (chain: Chain) => made(chain, "/api/v1/menu/flash-sales", sale(chain), "sale_id");
const promoOf = (chain: Chain) => made(chain, "/api/v1/menu/promo-codes", promo(), "promo_id");
const postOf = (chain: Chain) => made(chain, "/posts", post(), "post_id");

const account = () => ({
  role: "technologist",
  name: "Probe",
  email: `${randomUUID()}@probe.test`,
  password: PASSWORD,
});
const userOf = (chain: Chain) => made(chain, "/api/v1/auth/users", account(), "user_id");

/** Every operation, in the order of the golden table. */
export const EXAMPLES: Readonly<Record<string, Asked>> = {
  // Orders
  "POST /api/v1/order": { anywhere: (chain) => ({ body: chain.wish() }) },
  "POST /api/v1/erp/orders": { at: ({ branch_id }, chain) => ({ body: chain.wish({ branch_id }) }) },
  "GET /api/v1/erp/orders": { at: inBranch },
  "GET /api/v1/erp/orders/pending": { at: inBranch },
  "GET /api/v1/erp/orders/batch": { at: inBranch },
  "GET /api/v1/erp/orders/search": {
    at: ({ branch_id }) => ({ query: { branch_id, phone: "+79135550123" } }),
  },
  "GET /api/v1/erp/orders/:order_id": { at: ofOrder },
  "GET /api/v1/erp/orders/:order_id/history": { at: ofOrder },
  "POST /api/v1/erp/orders/:order_id/processed": { at: ofOrder },
  "POST /api/v1/erp/orders/:order_id/status": {
    at: async (place) => ({
      path: { order_id: (await place.order_more()).order_id },
      body: { status: "preparing" },
    }),
  },
  "POST /api/v1/erp/orders/:order_id/cancel": {
    at: async (place) => ({
      path: { order_id: (await place.order_more()).order_id },
      body: { reason: "probe" },
    }),
  },
  "POST /api/v1/erp/orders/:order_id/refund": {
    at: (place) => ({ ...ofOrder(place), body: { reason: "probe" } }),
  },
  "GET /api/v1/orders": { anywhere: NOTHING },
  "GET /api/orders": { anywhere: NOTHING },
  "GET /api/v1/orders/:order_id": { at: ofOrder },
  "POST /api/v1/orders/:order_id/cancel": {
    at: async (place) => ({ path: { order_id: (await place.order_more()).order_id }, body: {} }),
  },
  "POST /api/orders/:order_id/reorder": { at: (place) => ({ ...ofOrder(place), body: {} }) },
  "GET /api/v1/track/:token": { anywhere: (_chain, { order }) => ({ path: { token: trackTokenOf(order) } }) },
  "POST /api/v1/track/:token/cancel": {
    anywhere: async (_chain, place) => ({
      path: { token: trackTokenOf(await place.order_more()) },
      body: {},
    }),
  },
  // Slots and branches
  "GET /api/v1/erp/slots": { at: inBranch },
  "GET /api/v1/slots": { at: inBranch },
  "PUT /api/v1/erp/slots/:slot_id/disabled": { at: ofSlot({ disabled: false }) },
  "PUT /api/v1/erp/slots/:slot_id/capacity": { at: ofSlot({ capacity_minor: 5_000_000 }) },
  "PUT /api/v1/erp/slots/:slot_id/plan": { at: ofSlot({ delivery_plan: 5 }) },
  "PUT /api/v1/erp/slots/plan/batch": {
    at: ({ order }) => ({ body: { plans: [{ slot_id: order.slot.slot_id, delivery_plan: 5 }] } }),
  },
  "GET /api/v1/erp/kitchen-load": { at: inBranch },
  "GET /api/v1/erp/slots/config": { at: inBranch },
  "PUT /api/v1/erp/slots/config": { at: ({ branch_id }) => ({ body: { branch_id, lead_time_minutes: 30 } }) },
  "GET /api/v1/branches": { anywhere: NOTHING },
  "POST /api/v1/erp/branches": { anywhere: () => ({ body: branch() }) },
  "PUT /api/v1/erp/branches/:branch_id": {
    at: ({ branch_id }) => ({ path: { branch_id }, body: { phone: "+79135550199" } }),
  },
  "GET /api/v1/erp/legal-entities": { anywhere: NOTHING },
  "POST /api/v1/erp/legal-entities": { anywhere: () => ({ body: { name: "Probe", inn: "7707083893" } }) },
  // Menu
  "POST /api/v1/menu/quote": {
    anywhere: (chain) => ({ body: { items: [{ menu_item_id: chain.dish("Pepperoni").id, quantity: 1 }] } }),
  },
  "GET /api/v1/menu": { anywhere: NOTHING },
  "GET /api/v1/menu/pizzas": { anywhere: NOTHING },
  "GET /api/v1/menu/extras": { anywhere: NOTHING },
  "GET /api/v1/menu/sets": { anywhere: NOTHING },
  "POST /api/v1/admin/update-menu": { anywhere: () => ({ body: {} }) },
  "GET /api/v1/admin/menu-status": { anywhere: NOTHING },
  "GET /api/v1/menu/items": { anywhere: NOTHING },
  "GET /api/v1/menu/items/:item_id": {
    anywhere: (chain) => ({ path: { item_id: chain.dish("Pepperoni").id } }),
  },
  "POST /api/v1/menu/items": { anywhere: () => ({ body: item() }) },
  "PUT /api/v1/menu/items/:item_id": {
    anywhere: async (chain) => ({ path: { item_id: await menuItem(chain) }, body: { price_minor: 51_000 } }),
  },
  "DELETE /api/v1/menu/items/:item_id": {
    anywhere: async (chain) => ({ path: { item_id: await menuItem(chain) } }),
  },
  "PUT /api/v1/menu/items/:item_id/available": {
    anywhere: (chain) => ({ path: { item_id: chain.dish("Hunter").id }, body: { available: true } }),
  },
  "GET /api/v1/menu/drafts": { anywhere: NOTHING },
  "DELETE /api/v1/menu/drafts/:item_id": {
    anywhere: async (chain) => ({ path: { item_id: await menuItem(chain) } }),
  },
  "GET /api/v1/menu/preview": { anywhere: NOTHING },
  "POST /api/v1/menu/publish": { anywhere: () => ({ body: { note: "probe" } }) },
  "GET /api/v1/menu/versions": { anywhere: NOTHING },
  "GET /api/v1/menu/versions/:version": { anywhere: () => ({ path: { version: "1" } }) },
  "GET /api/v1/menu/diff": { anywhere: () => ({ query: { from: "1", to: "1" } }) },
  "POST /api/v1/menu/versions/:version/rollback": { anywhere: () => ({ path: { version: "1" }, body: {} }) },
  "GET /api/v1/menu/flash-sales/active": { anywhere: NOTHING },
  "GET /api/flash-sales": { anywhere: NOTHING },
  "GET /api/v1/menu/flash-sales": { anywhere: NOTHING },
  "GET /api/v1/menu/flash-sales/:sale_id": {
    anywhere: async (chain) => ({ path: { sale_id: await saleOf(chain) } }),
  },
  "POST /api/v1/menu/flash-sales": { anywhere: (chain) => ({ body: sale(chain) }) },
  "PUT /api/v1/menu/flash-sales/:sale_id": {
    anywhere: async (chain) => ({ path: { sale_id: await saleOf(chain) }, body: { percent: 6 } }),
  },
  "DELETE /api/v1/menu/flash-sales/:sale_id": {
    anywhere: async (chain) => ({ path: { sale_id: await saleOf(chain) } }),
  },
  "GET /api/v1/menu/promo-codes": { anywhere: NOTHING },
  "GET /api/v1/menu/promo-codes/:promo_id": {
    anywhere: async (chain) => ({ path: { promo_id: await promoOf(chain) } }),
  },
  "POST /api/v1/menu/promo-codes": { anywhere: () => ({ body: promo() }) },
  "PUT /api/v1/menu/promo-codes/:promo_id": {
    anywhere: async (chain) => ({ path: { promo_id: await promoOf(chain) }, body: { percent: 6 } }),
  },
  "DELETE /api/v1/menu/promo-codes/:promo_id": {
    anywhere: async (chain) => ({ path: { promo_id: await promoOf(chain) } }),
  },
  // Accounts
  "POST /api/v1/auth/super-admin/login": {
    anywhere: () => ({ body: { username: "nobody", password: PASSWORD } }),
  },
  "POST /api/v1/auth/register": { anywhere: () => ({ body: { ...registration(), password: PASSWORD } }) },
  "POST /api/v1/auth/login": {
    anywhere: () => ({ body: { email: "nobody@probe.test", password: PASSWORD } }),
  },
  "POST /api/v1/auth/refresh": { anywhere: () => ({ body: { refresh_token: "x".repeat(43) } }) },
  "POST /api/v1/auth/logout": { anywhere: () => ({ body: { refresh_token: "x".repeat(43) } }) },
  "GET /api/v1/auth/me": { anywhere: NOTHING },
  "PUT /api/v1/auth/password": {
    anywhere: () => ({ body: { current_password: "not the password", new_password: PASSWORD } }),
  },
  "GET /api/v1/auth/users": { anywhere: NOTHING },
  "GET /api/v1/auth/users/:user_id": {
    anywhere: async (chain) => ({ path: { user_id: await userOf(chain) } }),
  },
  "POST /api/v1/auth/users": { anywhere: () => ({ body: account() }) },
  "PUT /api/v1/auth/users/:user_id": {
    anywhere: async (chain) => ({ path: { user_id: await userOf(chain) }, body: { name: "Other" } }),
  },
  "PUT /api/v1/auth/users/:user_id/password": {
    anywhere: async (chain) => ({
      path: { user_id: await userOf(chain) },
      body: { password: `${PASSWORD} more` },
    }),
  },
  "POST /api/v1/auth/users/:user_id/revoke-sessions": {
    anywhere: async (chain) => ({ path: { user_id: await userOf(chain) }, body: {} }),
  },
  // Cart, profile, shop
  "GET /api/cart": { anywhere: NOTHING },
  "POST /api/cart/add/:menu_item_id": {
    anywhere: (chain) => ({ path: { menu_item_id: chain.dish("Pepperoni").id }, body: { quantity: 1 } }),
  },
  "PUT /api/cart/update": { anywhere: () => ({ body: { line_id: nobody(), quantity: 1 } }) },
  "DELETE /api/cart/remove/:id": { anywhere: () => ({ path: { id: nobody() } }) },
  "DELETE /api/cart": { anywhere: NOTHING },
  "POST /api/cart/promo": { anywhere: () => ({ body: { code: "NOSUCHCODE" } }) },
  "DELETE /api/cart/promo": { anywhere: NOTHING },
  "POST /api/cart/merge": { anywhere: () => ({ body: {} }) },
  "POST /api/cart/checkout": {
    anywhere: () => ({ body: { fulfilment: "pickup", payment_method: "cash" } }),
  },
  "GET /api/user/profile": { anywhere: NOTHING },
  "PUT /api/user/profile": { anywhere: () => ({ body: { language: "ru" } }) },
  // The customer has an order under way, so is not erased by it; nor is whoever has this number.
  "DELETE /api/user/profile": { anywhere: NOTHING },
  "GET /api/user/profile/export": { anywhere: NOTHING },
  "POST /api/v1/erp/customers/erase": { anywhere: () => ({ body: { phone: GUEST_PHONE } }) },
  "GET /api/v1/erp/customers/export": { anywhere: () => ({ query: { phone: GUEST_PHONE } }) },
  "GET /api/bestsellers": { anywhere: NOTHING },
  "GET /api/recommendations": { anywhere: NOTHING },
  "GET /api/comments/top": { anywhere: NOTHING },
  "GET /api/menu/:item_id/reviews": {
    anywhere: (chain) => ({ path: { item_id: chain.dish("Pepperoni").id } }),
  },
  "GET /api/reviews": { anywhere: NOTHING },
  "POST /api/reviews": {
    anywhere: (chain) => ({ body: { menu_item_id: chain.menu.extras[0]?.id, rating: 5, text: "Probe" } }),
  },
  "PUT /api/reviews/:review_id": { at: (place) => ({ ...ofReview(place), body: { rating: 4 } }) },
  "DELETE /api/reviews/:review_id": {
    at: async (place) => ({ path: { review_id: await place.review_more() } }),
  },
  "POST /api/reviews/:review_id/helpful": { at: (place) => ({ ...ofReview(place), body: {} }) },
  "DELETE /api/reviews/:review_id/helpful": { at: ofReview },
  "GET /api/v1/erp/reviews": { anywhere: NOTHING },
  "POST /api/v1/erp/reviews/:review_id/hide": {
    at: (place) => ({ ...ofReview(place), body: { reason: "probe" } }),
  },
  "POST /api/v1/erp/reviews/:review_id/show": { at: (place) => ({ ...ofReview(place), body: {} }) },
  "GET /api/cache/status": { anywhere: NOTHING },
  "POST /api/cache/invalidate/:name": { anywhere: () => ({ path: { name: "bestsellers" }, body: {} }) },
  // Posts
  "GET /posts": { anywhere: NOTHING },
  "GET /posts/top": { anywhere: NOTHING },
  "GET /posts/:post_id": { anywhere: async (chain) => ({ path: { post_id: await postOf(chain) } }) },
  "GET /posts/:post_id/views": { anywhere: async (chain) => ({ path: { post_id: await postOf(chain) } }) },
  "POST /posts": { anywhere: () => ({ body: post() }) },
  "PUT /posts/:post_id": {
    anywhere: async (chain) => ({
      path: { post_id: await postOf(chain) },
      body: { title: { ru: "Другое", en: "Other" } },
    }),
  },
  "DELETE /posts/:post_id": { anywhere: async (chain) => ({ path: { post_id: await postOf(chain) } }) },
  "POST /posts/view": { anywhere: async (chain) => ({ body: { post_id: await postOf(chain) } }) },
  "POST /posts/views-batch": { anywhere: async (chain) => ({ body: { post_ids: [await postOf(chain)] } }) },
  "POST /posts/sync-views": { anywhere: () => ({ body: {} }) },
  // Cameras
  "POST /api/v1/cameras": {
    at: ({ branch_id }) => ({ body: { branch_id, mac_address: anyMac(), model: "generic" } }),
  },
  "GET /api/v1/cameras": { at: inBranch },
  "GET /api/v1/cameras/:camera_id": { at: ({ camera_id }) => ({ path: { camera_id } }) },
  "PUT /api/v1/cameras/:camera_id": {
    at: ({ camera_id }) => ({ path: { camera_id }, body: { name: "Probe" } }),
  },
  "DELETE /api/v1/cameras/:camera_id": {
    at: async (place) => ({ path: { camera_id: await place.camera_more() } }),
  },
  "GET /api/v1/cameras/by-mac/:mac": { at: ({ mac_address }) => ({ path: { mac: mac_address } }) },
  "GET /api/v1/cameras/events": { at: inBranch },
  // The events of foreign cameras are not taken, one by one, in an answer that is a success.
  "POST /api/v1/cameras/events": {
    anywhere: (_chain, { mac_address }) => ({
      body: { mac_address, event_type: "motion", timestamp: new Date().toISOString(), data: {} },
    }),
  },
  "POST /api/v1/camera-keys": { at: ({ branch_id }) => ({ body: { branch_id, name: "Probe" } }) },
  "GET /api/v1/camera-keys": { at: inBranch },
  "DELETE /api/v1/camera-keys/:key_id": {
    at: async (place) => ({ path: { key_id: await place.key_more() } }),
  },
  // Operations
  "GET /api/v1/health": { anywhere: NOTHING },
  "GET /metrics": { anywhere: NOTHING },
  "GET /api/v1/health/live": { anywhere: NOTHING },
  "GET /api/v1/health/ready": { anywhere: NOTHING },
};

/** Every method of the gRPC service. */
export const GRPC_EXAMPLES: Readonly<
  Record<string, (place: Place, chain: Chain) => object | Promise<object>>
> = {
  "GRPC CreateOrder": ({ branch_id }, chain) => ({
    ...{ branch_id, fulfilment: "FULFILMENT_PICKUP", payment_method: "PAYMENT_METHOD_CASH" },
    items: [{ menu_item_id: chain.dish("Pepperoni").id, quantity: 1 }],
  }),
  "GRPC GetOrder": ({ order }) => ({ order_id: order.order_id }),
  "GRPC WatchOrder": ({ order }) => ({ order_id: order.order_id }),
  "GRPC CancelOrder": async (place) => ({ order_id: (await place.order_more()).order_id, reason: "probe" }),
  "GRPC ListSlots": ({ branch_id }) => ({ branch_id }),
};

const registration = () => ({ name: "Probe", email: `${randomUUID()}@probe.test` });

let branches = 0;

function branch(): object {
  const code = `Z${String.fromCharCode("A".charCodeAt(0) + branches++)}`;
  const hours = Object.fromEntries(
    ["1", "2", "3", "4", "5", "6", "7"].map((day) => [day, { open: "10:00", close: "22:00" }]),
  );
  return {
    ...{ code, name: { ru: code, en: code }, address: { ru: code, en: code }, time_zone: "UTC" },
    ...{ delivery_fee_minor: 19_900, free_delivery_from_minor: null, slots: { hours } },
  };
}

export function anyMac(): string {
  const hex = randomUUID().replaceAll("-", "").slice(0, 10).toUpperCase();
  return ["02", ...(hex.match(/../g) ?? [])].join(":");
}
