/** Events of a branch (stream `branch-<branch_id>`). Its opening hours and slot rules live here too: a placement guards on this stream's version, so an order never lands under rules that have just been replaced. */

export interface LocalizedName {
  readonly ru: string;
  readonly en: string;
}

/** Opening interval of one weekday in the branch's time zone, `HH:MM`. `close <= open` means closing after midnight; `00:00`–`24:00` is round the clock. */
export interface OpeningHours {
  readonly open: string;
  readonly close: string;
}

/** ISO weekday (1 = Monday … 7 = Sunday) to its hours; null: closed that day. */
export type WeekHours = Readonly<Record<"1" | "2" | "3" | "4" | "5" | "6" | "7", OpeningHours | null>>;

/** A date that differs from its weekday; `hours: null` is closed. */
export interface Holiday {
  /** Business date, `YYYY-MM-DD`, local. */
  readonly date: string;
  readonly hours: OpeningHours | null;
  readonly name?: string;
}

export interface SlotRules {
  /** Money that one slot can take. */
  readonly capacity_minor: number;
  readonly slot_minutes: number;
  readonly lead_time_minutes: number;
  /** How far ahead an order may be placed outside opening hours or when slots are full. */
  readonly preorder_hours: number;
  /** What happens with an order larger than a whole slot: spread over consecutive slots, or refuse. */
  readonly oversize: "spread" | "refuse";
  readonly hours: WeekHours;
  readonly holidays: readonly Holiday[];
}

export interface BranchDetails {
  /** One or two capital letters, first part of every display id, unique in the chain. */
  readonly code: string;
  readonly name: LocalizedName;
  readonly address: LocalizedName;
  readonly phone: string | null;
  /** IANA name, e.g. `Asia/Krasnoyarsk`. */
  readonly time_zone: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly delivery_fee_minor: number;
  /** Items total from which delivery is free; null: never. */
  readonly free_delivery_from_minor: number | null;
  /**
   * Takes the orders that name no branch. Exactly one does: the one whose event says so last in the log. So moving it is
   * one event of one stream, and the former default needs none; the directory and the table know, the former's own stream
   * does not.
   */
  readonly is_default: boolean;
  readonly legal_entity_id: string | null;
}

/** What a branch takes for bringing items of this sum. */
export function deliveryFeeOf(
  {
    delivery_fee_minor,
    free_delivery_from_minor,
  }: Pick<BranchDetails, "delivery_fee_minor" | "free_delivery_from_minor">,
  items_total_minor: number,
): number {
  const isFree = free_delivery_from_minor !== null && items_total_minor >= free_delivery_from_minor;
  return isFree ? 0 : delivery_fee_minor;
}

export type BranchOpened = {
  readonly type: "branch.opened";
  readonly data: {
    readonly branch_id: string;
    readonly details: BranchDetails;
    readonly slot_rules: SlotRules;
  };
};
export type BranchChanged = {
  readonly type: "branch.changed";
  readonly data: { readonly branch_id: string; readonly details: Partial<BranchDetails> };
};
export type SlotsConfigured = {
  readonly type: "branch.slots_configured";
  readonly data: { readonly branch_id: string; readonly slot_rules: Partial<SlotRules> };
};
export type BranchEvent = BranchOpened | BranchChanged | SlotsConfigured;

/** A branch as folded from its stream. `version` is what a placement guards on. */
export interface Branch extends BranchDetails {
  readonly branch_id: string;
  readonly version: number;
  readonly slot_rules: SlotRules;
}

/** Stream of a branch. */
export const branchStream = (branch_id: string): string => `branch-${branch_id}`;

/** Stream that only reserves a code: it can be founded once. */
export const branchCodeStream = (code: string): string => `branch-code-${code}`;
