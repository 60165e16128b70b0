/**
 * What the log tells, by the shapes that the documents promise: names are those of the API. Nothing here is taken from the
 * product, so that what it writes is held against something else than itself.
 */

export interface Name {
  readonly ru: string;
  readonly en: string;
}

/** The part of a slot's capacity that an order holds. */
export interface Share {
  readonly slot_id: string;
  readonly start: string;
  readonly end: string;
  readonly amount_minor: number;
}

export interface Extra {
  readonly extra_id: string;
  readonly name: Name;
  readonly price_minor: number;
}

export interface Line {
  readonly kind: string;
  readonly menu_item_id: string;
  readonly name: Name;
  readonly quantity: number;
  readonly unit_price_minor: number;
  readonly list_price_minor: number;
  readonly flash_sale_id: string | null;
  readonly extras: readonly Extra[];
  readonly exclude_ingredients: readonly string[];
  readonly line_total_minor: number;
}

/** What an order took of a limited offer, or of being its customer's first. */
export interface Hold {
  readonly quota_id: string;
  readonly hold_id: string;
  readonly units: number;
}

export type Fulfilment = "pickup" | "delivery";

export interface Placed {
  readonly order_id: string;
  readonly branch_id: string;
  readonly channel: string;
  readonly fulfilment: Fulfilment;
  readonly address: string | null;
  readonly customer: {
    readonly user_id: string | null;
    readonly name: string | null;
    readonly phone: string | null;
  };
  readonly payment_method: string;
  readonly notes: string | null;
  readonly currency: string;
  readonly menu_version: number;
  readonly items: readonly Line[];
  readonly items_total_minor: number;
  readonly delivery_fee_minor: number;
  readonly discount_minor: number;
  readonly total_minor: number;
  readonly promo_code: string | null;
  readonly holds?: readonly Hold[];
  readonly preferred_time: string | null;
  readonly track_token: string;
  readonly placed_at: string;
  readonly display_id: string;
  readonly business_date: string;
  readonly shares: readonly Share[];
  readonly ready_at: string;
  readonly visible_at: string;
  readonly preorder: boolean;
}

/** What every later event of an order repeats of it. */
export interface OrderRef {
  readonly order_id: string;
  readonly branch_id: string;
  readonly display_id: string;
  readonly business_date: string;
  readonly placed_at: string;
  readonly fulfilment: Fulfilment;
  readonly user_id: string | null;
  readonly at: string;
}

/** A slot as it is after an event. */
export interface Slot {
  readonly slot_id: string;
  readonly branch_id: string;
  readonly start: string;
  readonly end: string;
  readonly capacity_minor: number;
  readonly load_minor: number;
  readonly orders_count: number;
  readonly delivery_count: number;
  readonly pickup_count: number;
  readonly delivery_plan: number | null;
  readonly pickup_plan: number | null;
  readonly disabled: boolean;
}

interface Day {
  readonly branch_id: string;
  readonly business_date: string;
  readonly slots: readonly Slot[];
}

export type SlotRules = Readonly<Record<string, unknown>> & { readonly capacity_minor?: number };
export type BranchDetails = Readonly<Record<string, unknown>> & {
  readonly delivery_fee_minor?: number;
  readonly free_delivery_from_minor?: number | null;
  readonly is_default?: boolean;
  readonly time_zone?: string;
};

export interface Sale {
  readonly sale_id: string;
  readonly name: Name;
  readonly item_ids: readonly string[];
  readonly percent: number | null;
  readonly price_minor: number | null;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly limit_quantity: number | null;
}

export interface Promo {
  readonly promo_id: string;
  readonly code: string;
  readonly percent: number | null;
  readonly amount_minor: number | null;
  readonly min_total_minor: number;
  readonly valid_from: string | null;
  readonly valid_until: string | null;
  readonly active: boolean;
  readonly limit_total: number | null;
  readonly limit_per_user: number | null;
  readonly first_order_only: boolean;
}

/** A version of the menu, as far as prices go. */
export interface MenuDocument {
  readonly version: number;
  readonly pizzas: readonly MenuItem[];
  readonly sets: readonly MenuItem[];
  readonly extras: readonly MenuItem[];
}
interface MenuItem {
  readonly id: string;
  readonly name: Name;
  readonly price_minor: number;
}

interface Taken extends Hold {
  readonly user_id: string | null;
  readonly placing: { readonly id: string; readonly fingerprint: string };
  readonly used: number;
  readonly at: string;
  readonly first_order?: boolean;
}

interface OfCart {
  readonly cart_id: string;
  readonly user_id: string | null;
  readonly at: string;
}

/** Everything that is judged, by its type. */
export interface Facts {
  readonly "order.placed": Placed;
  readonly "order.status_changed": OrderRef & {
    readonly from: string;
    readonly to: string;
    readonly courier_id?: string;
  };
  readonly "order.cancelled": OrderRef & {
    readonly from: string;
    readonly reason: string;
    readonly shares: readonly Share[];
    readonly holds?: readonly Hold[];
  };
  readonly "order.processed": OrderRef & { readonly by: string | null };
  readonly "order.refunded": OrderRef & {
    readonly amount_minor: number;
    readonly refunded_total_minor: number;
    readonly reason: string;
  };
  readonly "slot.booked": Day & {
    readonly order_id: string;
    readonly fulfilment: Fulfilment;
    readonly shares: readonly Share[];
    readonly visible_at: string;
  };
  readonly "slot.released": Day & { readonly order_id: string; readonly shares: readonly Share[] };
  readonly "slot.disabled_set": Day & { readonly disabled: boolean };
  readonly "slot.capacity_set": Day & { readonly capacity_minor: number | null };
  readonly "slot.plan_set": Day;
  readonly "branch.opened": {
    readonly branch_id: string;
    readonly details: BranchDetails;
    readonly slot_rules: SlotRules;
  };
  readonly "branch.changed": { readonly branch_id: string; readonly details: BranchDetails };
  readonly "branch.slots_configured": { readonly branch_id: string; readonly slot_rules: SlotRules };
  readonly "menu.published": {
    readonly version: number;
    readonly published_at: string;
    readonly changed: readonly string[];
    readonly note: string | null;
  };
  readonly "menu.sale_changed": { readonly sale_id: string; readonly sale: Sale | null };
  readonly "menu.promo_changed": { readonly promo_id: string; readonly promo: Promo | null };
  readonly "flash_sale.started": {
    readonly sale_id: string;
    readonly sale: Sale;
    readonly reason: string;
    readonly at: string;
  };
  readonly "flash_sale.ended": {
    readonly sale_id: string;
    readonly item_ids: readonly string[];
    readonly reason: string;
    readonly at: string;
  };
  readonly "quota.taken": Taken;
  readonly "quota.confirmed": {
    readonly quota_id: string;
    readonly hold_id: string;
    readonly order_id: string;
  };
  readonly "quota.returned": Hold & {
    readonly used: number;
    readonly at: string;
    readonly first_order?: boolean;
  };
  readonly "cache.invalidated": { readonly names: readonly string[]; readonly at: string };
  readonly "user.profile_changed": { readonly user_id: string; readonly changed: readonly string[] };
  readonly "cart.changed": OfCart & { readonly lines: readonly unknown[] };
  readonly "cart.merged": OfCart & { readonly lines: readonly unknown[] };
  readonly "cart.ordered": OfCart & { readonly lines: readonly unknown[] };
  readonly "cart.checkout_begun": OfCart;
  readonly "cart.checkout_dropped": OfCart;
  readonly "cart.given": OfCart;
  readonly "cart.expired": OfCart;
}

/** An event of the log, unsealed. */
export interface LogEvent {
  readonly position: number;
  readonly stream_id: string;
  readonly version: number;
  readonly event_id: string;
  readonly type: string;
  readonly data: unknown;
  readonly recorded_at: string;
}

/** An event whose type is known here. */
export type Told = {
  readonly [Type in keyof Facts]: Omit<LogEvent, "type" | "data"> & {
    readonly type: Type;
    readonly data: Facts[Type];
  };
}[keyof Facts];
export type ToldOf<Type extends keyof Facts> = Extract<Told, { readonly type: Type }>;

/** The same event by its type; one of a type that nobody judges fits no case of a switch. */
export const told = (event: LogEvent): Told => event as unknown as Told;

/** The events of one type. */
export const toldOf = <Type extends keyof Facts>(
  events: readonly LogEvent[],
  type: Type,
): readonly ToldOf<Type>[] => events.filter((event) => event.type === type) as unknown as ToldOf<Type>[];
