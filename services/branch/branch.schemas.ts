import { Type, type TSchema } from "@sinclair/typebox";
import {
  LocalDate,
  Minor,
  SettableMinor,
  PositionSchema,
  Timestamp,
  Uuid,
  nullable,
  strictObject,
} from "../../mixins/contract/schemas";
import { Line } from "../../mixins/text/lines";
import { Phone } from "../../mixins/text/phone";

const LocalizedLine = strictObject({ ru: Line(200), en: Line(200) });

/** Times are read by the room itself, which refuses them by name. */
const LocalTime = Type.String({ maxLength: 8, description: "HH:MM in the branch's time zone" });
export const Hours = nullable(strictObject({ open: LocalTime, close: LocalTime }));
const weekdays = <T extends TSchema>(day: T) => ({
  "1": day,
  "2": day,
  "3": day,
  "4": day,
  "5": day,
  "6": day,
  "7": day,
});
const Week = strictObject(weekdays(Hours));
const PartOfWeek = strictObject(weekdays(Type.Optional(Hours)));
export const Holidays = Type.Array(
  strictObject({
    date: Type.String({ maxLength: 10, description: "Business date, YYYY-MM-DD" }),
    hours: Hours,
    name: Type.Optional(Line(100)),
  }),
  { maxItems: 400 },
);

const rules = {
  capacity_minor: SettableMinor,
  slot_minutes: Type.Integer({ minimum: 5, maximum: 240 }),
  lead_time_minutes: Type.Integer({ minimum: 0, maximum: 1440 }),
  preorder_hours: Type.Integer({ minimum: 0, maximum: 720 }),
  oversize: Type.Union([Type.Literal("spread"), Type.Literal("refuse")]),
};

/** Slot rules as a request names them: what is absent stays as it is, a weekday that is named is replaced. */
export const SlotRulesChange = {
  capacity_minor: Type.Optional(rules.capacity_minor),
  slot_minutes: Type.Optional(rules.slot_minutes),
  lead_time_minutes: Type.Optional(rules.lead_time_minutes),
  preorder_hours: Type.Optional(rules.preorder_hours),
  oversize: Type.Optional(rules.oversize),
  hours: Type.Optional(PartOfWeek),
  holidays: Type.Optional(Holidays),
};

const wholeRules = { ...rules, hours: Week, holidays: Holidays };

/** All slot rules of a branch; `position` is that of the branch's newest event. */
export const SlotConfig = strictObject({ branch_id: Uuid, position: PositionSchema, ...wholeRules });

const details = {
  name: LocalizedLine,
  address: LocalizedLine,
  phone: nullable(Phone),
  time_zone: Type.String({ minLength: 1, maxLength: 64, description: "IANA name" }),
  currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217" }),
  delivery_fee_minor: SettableMinor,
  free_delivery_from_minor: nullable(SettableMinor),
  is_default: Type.Boolean(),
  legal_entity_id: nullable(Uuid),
};
const Code = Type.String({ pattern: "^[A-Z]{1,2}$", description: "First part of every display id" });

/** What opens a branch: name, address and zone; the rest has defaults. */
export const NewBranch = {
  branch_id: Type.Optional(Uuid),
  code: Code,
  name: details.name,
  address: details.address,
  time_zone: details.time_zone,
  phone: Type.Optional(details.phone),
  currency: Type.Optional(details.currency),
  delivery_fee_minor: Type.Optional(details.delivery_fee_minor),
  free_delivery_from_minor: Type.Optional(details.free_delivery_from_minor),
  is_default: Type.Optional(details.is_default),
  legal_entity_id: Type.Optional(details.legal_entity_id),
  slots: Type.Optional(strictObject(SlotRulesChange)),
};

/** What may change later; the code stays, because display ids are made of it. */
export const BranchChange = {
  name: Type.Optional(details.name),
  address: Type.Optional(details.address),
  time_zone: Type.Optional(details.time_zone),
  phone: Type.Optional(details.phone),
  currency: Type.Optional(details.currency),
  delivery_fee_minor: Type.Optional(details.delivery_fee_minor),
  free_delivery_from_minor: Type.Optional(details.free_delivery_from_minor),
  is_default: Type.Optional(details.is_default),
  legal_entity_id: Type.Optional(details.legal_entity_id),
};

/** Numbers that were set before all were kept in E.164 are shown as they were. */
const ShownPhone = nullable(Type.String());

/** A branch as super admins see it. */
export const BranchRecord = strictObject({
  branch_id: Uuid,
  version: Type.Integer({ minimum: 1 }),
  code: Type.String(),
  ...details,
  phone: ShownPhone,
  slot_rules: strictObject(wholeRules),
});

/** A branch as everybody sees it. */
export const PublicBranch = strictObject({
  branch_id: Uuid,
  name: LocalizedLine,
  address: LocalizedLine,
  phone: ShownPhone,
  time_zone: Type.String(),
  currency: Type.String(),
  delivery_fee_minor: Minor,
  free_delivery_from_minor: nullable(Minor),
  is_default: Type.Boolean(),
  hours: Week,
  holidays: Type.Array(strictObject({ date: LocalDate, hours: Hours, name: Type.Optional(Type.String()) })),
  open_now: Type.Boolean(),
  /** When it closes, where it is open and does close. */
  closes_at: nullable(Timestamp),
  /** When it opens next, where it is closed now; null also when nothing opens within two weeks. */
  next_opening_at: nullable(Timestamp),
});
