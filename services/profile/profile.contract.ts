import { Type, type Static } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  literals,
  LocalDate,
  nullable,
  PositionSchema,
  strictObject,
  Uuid,
} from "../../mixins/contract/schemas";
import { Line } from "../../mixins/text/lines";
import { Phone } from "../../mixins/text/phone";

const Address = strictObject({
  label: nullable(Line(50)),
  address: Line(500),
  comment: nullable(Line(500)),
  is_default: Type.Boolean(),
});

const fields = {
  name: Line(200),
  phone: nullable(Phone),
  addresses: Type.Array(Address, { maxItems: 10 }),
  birthday: nullable(LocalDate),
  language: literals("ru", "en"),
  marketing_consent: Type.Boolean(),
};
const ProfileFields = strictObject(fields);
/** What a profile says. */
export type Profile = Static<typeof ProfileFields>;

const Shown = {
  user_id: Uuid,
  email: nullable(Type.String({ description: "Of the account" })),
  ...fields,
  phone: nullable(Type.String()),
};

/** Where the customer has not said anything yet, name and phone are the account's. Served from the cache. */
export const getProfile = contract({
  name: "profile.get",
  summary: "The caller's own profile",
  kind: "query",
  permission: "session",
  rest: [{ method: "GET", path: "/api/user/profile" }],
  cacheable: true,
  params: strictObject({}),
  result: strictObject(Shown),
  refusals: ["auth.user_unknown"],
});

/** Changes what it names; null, false and empty lists are values. Email and password are the account's. */
export const changeProfile = contract({
  name: "profile.change",
  summary: "Change the caller's own profile",
  kind: "command",
  permission: "session",
  rest: [{ method: "PUT", path: "/api/user/profile" }],
  params: Type.Partial(ProfileFields, { additionalProperties: false }),
  result: strictObject({ ...Shown, position: PositionSchema }),
  refusals: [
    "auth.user_unknown",
    "profile.phone_invalid",
    "profile.birthday_in_future",
    "profile.several_default_addresses",
  ],
});

/** Every contract of the room. */
export const profileContracts = [getProfile, changeProfile] as const;
