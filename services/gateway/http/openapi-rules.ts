const PHONE = "A phone is a number that there can be, with its country code or as people dial it.";

/**
 * What clients have to keep to beyond the schema, by the refusal that tells them otherwise; the document says it at every
 * operation that can answer with the code. Only rules that a request can be checked against: what depends on the state of
 * the trade (a slot is full) the code itself says.
 */
export const RULES: Readonly<Record<string, string>> = {
  "auth.password_weak":
    "A password is estimated: one that is guessed in few tries (common, short, repeated, a name of the account) is refused.",
  "auth.phone_invalid": PHONE,
  "auth.role_needs_branches": "Managers, cooks and couriers work at a branch: name it in `branch_ids`.",
  "branch.currency_unknown": "The currency is one of ISO 4217.",
  "branch.holiday_invalid": "Holidays are days of the calendar (YYYY-MM-DD), each named once.",
  "branch.hours_invalid":
    "Hours are HH:MM, from 00:00; they open until 23:59 and close until 24:00. A close before the open is of the next day.",
  "branch.phone_invalid": PHONE,
  "branch.slot_longer_than_hours": "A slot fits into the shortest opening hours.",
  "branch.time_zone_unknown": "The time zone is a name of IANA's database.",
  "camera.settings_too_long": "Settings hold at most 16 000 characters of JSON.",
  "customer.not_named": "Name the person by `user_id` or by `phone`: one of the two.",
  "customer.phone_invalid": PHONE,
  "input.cursor_malformed": "A `cursor` is `next_cursor` of the page before, unchanged.",
  "input.position_unknown": "`after` is a position that an answer has given; the log has reached it.",
  "legal_entity.inn_invalid": "An INN has its check digits.",
  "menu.invalid_item": "A set has at least one item, each a pizza of the menu; nothing else has items.",
  "menu.nothing_named": "Name at least one field that shall change.",
  "order.address_required": "A delivery needs an `address`.",
  "order.phone_invalid": PHONE,
  "order.time_in_past": "`preferred_time` lies ahead.",
  "order.time_too_far":
    "`preferred_time` lies no further ahead than the branch takes orders (`preorder_hours`).",
  "profile.birthday_in_future": "A birthday is not after today.",
  "profile.phone_invalid": PHONE,
  "profile.several_default_addresses": "One address at most is the default.",
  "promo.invalid_interval": "`valid_from` is before `valid_until`.",
  "promo.one_benefit": "A code has `percent` or `amount_minor`: one of the two.",
  "review.nothing_named": "Name a `rating`, a `text` or both.",
  "sale.invalid_interval": "`starts_at` is before `ends_at`.",
  "sale.one_benefit": "A sale has `percent` or `price_minor`: one of the two.",
  "slot.bad_range":
    "`from` and `to` are dates or instants between 2000 and 2200, `from` before `to`, at most 8 days apart; without `from` it is today's.",
  "slot.plan_spans_days": "A batch names slots of one branch and one business day.",
  "slot.planned_twice": "A batch names each slot once.",
  "views.invalid_interval": "`from` is not after `to`, since 1970, at most 366 days apart.",
};
