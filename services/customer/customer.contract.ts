import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { PositionSchema, strictObject, Timestamp, Uuid } from "../../mixins/contract/schemas";
import { Phone } from "../../mixins/text/phone";

/** An account is named by its id; who has none, by the phone number of their orders. One of the two. */
const Named = strictObject({ user_id: Type.Optional(Uuid), phone: Type.Optional(Phone) });
const NAMED_REFUSALS = ["customer.not_named", "customer.phone_invalid", "customer.unknown"] as const;
const ERASE_REFUSALS = ["customer.has_open_orders", "customer.is_staff", "customer.unknown"] as const;

const Erasure = strictObject({
  erasure_id: Uuid,
  streams: Type.Integer({ minimum: 0, description: "Orders that lost their personal texts" }),
  accounts: Type.Array(Uuid, {
    description: "Accounts that were emptied; by phone: that have given this number, and have it no more",
  }),
  erased_at: Timestamp,
  position: PositionSchema,
});

const Known = strictObject({
  exported_at: Timestamp,
  records: Type.Unsafe<Record<string, unknown>>(
    Type.Object(
      {},
      { additionalProperties: true, description: "By room: accounts, profiles, reviews, orders …" },
    ),
  ),
});

/**
 * Forgets a person for good: names, phones, addresses and free texts read `erased` afterwards, everywhere. Money, dishes and times of
 * their orders stay. By phone: the orders under that number, and the number where accounts have given it.
 */
export const eraseCustomer = contract({
  name: "customer.erase",
  summary: "Forget a customer, or a guest by phone",
  kind: "command",
  permission: "customer.erase",
  rest: [{ method: "POST", path: "/api/v1/erp/customers/erase" }],
  params: Named,
  result: Erasure,
  refusals: [...NAMED_REFUSALS, "customer.has_open_orders", "customer.is_staff"],
});

/**
 * Forgets the caller. Whoever only holds a token may not: the caller must have signed in with their password within the last
 * ten minutes. Ends all sessions; another answer than the first one is not given any more.
 */
export const eraseOwn = contract({
  name: "customer.erase_own",
  summary: "Delete the caller's account and all that is known of them",
  kind: "command",
  permission: "session",
  rate_per_minute: 10,
  rest: [{ method: "DELETE", path: "/api/user/profile" }],
  params: strictObject({}),
  result: Erasure,
  refusals: [...ERASE_REFUSALS, "auth.sign_in_again"],
});

/** Everything that is known of a person, as JSON. */
export const exportCustomer = contract({
  name: "customer.export",
  summary: "All that is known of a customer, or of a guest by phone",
  kind: "query",
  permission: "customer.export",
  rest: [{ method: "GET", path: "/api/v1/erp/customers/export" }],
  params: Named,
  result: Known,
  refusals: NAMED_REFUSALS,
});

export const exportOwn = contract({
  name: "customer.export_own",
  summary: "All that is known of the caller",
  kind: "query",
  permission: "session",
  rate_per_minute: 10,
  rest: [{ method: "GET", path: "/api/user/profile/export" }],
  params: strictObject({}),
  result: Known,
  refusals: ["customer.unknown"],
});

/** Every operation of the room. */
export const customerContracts = [eraseCustomer, eraseOwn, exportCustomer, exportOwn] as const;
