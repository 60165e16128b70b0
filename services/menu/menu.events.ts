/** Events of the menu (stream `menu`): a publish names a version whose whole document stands in `menu_versions`. */

export interface LocalizedName {
  readonly ru: string;
  readonly en: string;
}

export interface MenuIngredient {
  readonly name: LocalizedName;
  readonly grams: number;
}
export interface MenuPizza {
  readonly id: string;
  readonly name: LocalizedName;
  readonly price_minor: number;
  readonly ingredients: readonly MenuIngredient[];
  /** Ids of the extras that may be added. */
  readonly extras: readonly string[];
  readonly available: boolean;
  readonly image: string | null;
}
export interface MenuExtra {
  readonly id: string;
  readonly name: LocalizedName;
  readonly price_minor: number;
  readonly available: boolean;
}
export interface MenuSet {
  readonly id: string;
  readonly name: LocalizedName;
  readonly price_minor: number;
  /** What is inside, for the kitchen. */
  readonly items: readonly { readonly pizza_id: string; readonly quantity: number }[];
  readonly available: boolean;
  readonly image: string | null;
}

/** The menu that customers see: one immutable document a version. */
export interface MenuDocument {
  readonly version: number;
  readonly currency: string;
  readonly updated_at: string;
  readonly pizzas: readonly MenuPizza[];
  readonly extras: readonly MenuExtra[];
  readonly sets: readonly MenuSet[];
}

/** What made a version: drafts applied, live rows read again, one item switched, an older version brought back. */
export type MenuCause = "publish" | "reload" | "availability" | "rollback";

/** A version of the menu, beside its document. */
export interface VersionInfo {
  readonly version: number;
  readonly cause: MenuCause;
  readonly published_at: string;
  readonly published_by: string | null;
  readonly note: string | null;
  /** Set when this version brings an older one back. */
  readonly restored_from: number | null;
  /** Ids of the items that were added, removed or changed. */
  readonly changed: readonly string[];
}

export type MenuPublished = { readonly type: "menu.published"; readonly data: VersionInfo };

/** A draft of one item was made, changed or discarded; customers see nothing of it before a publish. */
export type MenuDraftChanged = {
  readonly type: "menu.draft_changed";
  readonly data: {
    readonly item_id: string;
    readonly change: "create" | "change" | "delete" | "discard";
    /** The named fields with their new values. */
    readonly fields: Readonly<Record<string, unknown>>;
    readonly by: string | null;
    readonly at: string;
  };
};

/** A flash sale as it is after the event; null: it was removed. */
export type MenuSaleChanged = {
  readonly type: "menu.sale_changed";
  readonly data: {
    readonly sale_id: string;
    readonly sale: FlashSale | null;
    readonly by: string | null;
    readonly at: string;
  };
};

/** A promo code as it is after the event; null: it was removed. */
export type MenuPromoChanged = {
  readonly type: "menu.promo_changed";
  readonly data: {
    readonly promo_id: string;
    readonly promo: PromoCode | null;
    readonly by: string | null;
    readonly at: string;
  };
};

/**
 * The prices of a flash sale are in force from `at` on: its time has come, its terms were changed, or units of it were given
 * back. Said once each time, late when nobody was there to say it; prices do not wait for it.
 */
export type FlashSaleStarted = {
  readonly type: "flash_sale.started";
  readonly data: {
    readonly sale_id: string;
    readonly sale: FlashSale;
    readonly reason: "time" | "changed" | "returned";
    readonly at: string;
  };
};

/** They are no longer in force: its time is over, all its units are sold, or it was changed or removed. */
export type FlashSaleEnded = {
  readonly type: "flash_sale.ended";
  readonly data: {
    readonly sale_id: string;
    readonly item_ids: readonly string[];
    readonly reason: "time" | "exhausted" | "changed" | "deleted";
    readonly at: string;
  };
};
export type MenuEvent =
  MenuPublished | MenuDraftChanged | MenuSaleChanged | MenuPromoChanged | FlashSaleStarted | FlashSaleEnded;

/** Lower prices for some pizzas and sets, in force exactly in [starts_at, ends_at). One of `percent` and `price_minor` is set. */
export interface FlashSale {
  readonly sale_id: string;
  readonly name: LocalizedName;
  readonly item_ids: readonly string[];
  /** Percent off the menu price; the rest is rounded down to a whole minor unit. */
  readonly percent: number | null;
  /** Price while the sale lasts; it never raises one. */
  readonly price_minor: number | null;
  readonly starts_at: string;
  readonly ends_at: string;
  /** Units sold at the sale's price, in all orders together; null: as many as there is time for. */
  readonly limit_quantity: number | null;
}

/** A code that takes something off the items total, valid in [valid_from, valid_until). One of `percent` and `amount_minor` is set. */
export interface PromoCode {
  readonly promo_id: string;
  /** In capitals; matched in any case. */
  readonly code: string;
  readonly percent: number | null;
  readonly amount_minor: number | null;
  /** Items total from which it may be used. */
  readonly min_total_minor: number;
  readonly valid_from: string | null;
  readonly valid_until: string | null;
  readonly active: boolean;
  /** Orders that may use it, all customers together; null: any number. So below. */
  readonly limit_total: number | null;
  /** Orders of one customer; guests cannot use it then. */
  readonly limit_per_user: number | null;
  /** Only the first order of a customer may use it. */
  readonly first_order_only: boolean;
}

/** Stream of the menu: its versions. */
export const MENU_STREAM = "menu";
/** Stream of the desk: every edit of a draft. */
export const MENU_DRAFTS_STREAM = "menu-drafts";
/** Stream of a flash sale. */
export const flashSaleStream = (sale_id: string): string => `flash-sale-${sale_id}`;
/** Stream of a promo code. */
export const promoCodeStream = (promo_id: string): string => `promo-code-${promo_id}`;
