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

export type MenuPublished = {
  readonly type: "menu.published";
  readonly data: {
    readonly version: number;
    readonly published_at: string;
    readonly published_by: string | null;
    readonly note: string | null;
    /** Set when this version brings an older one back. */
    readonly restored_from: number | null;
    readonly changed: readonly string[];
  };
};
export type MenuEvent = MenuPublished;

/** Stream of the menu. */
export const MENU_STREAM = "menu";
