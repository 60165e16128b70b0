/** The messages of `forno.order.v1` as proto-loader reads and writes them. Requests come from outside: their strings and numbers are of the right type, everything else is checked by the action's contract. */

export interface ProtoTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface ProtoText {
  readonly ru: string;
  readonly en: string;
}

/** An enum's name; a number where the client's version knows more names than ours. */
export type ProtoEnum = string | number;

export interface CreateOrderRequest {
  readonly branch_id?: string;
  readonly fulfilment: ProtoEnum;
  readonly address?: string;
  readonly customer: { readonly name?: string; readonly phone?: string } | null;
  readonly payment_method: ProtoEnum;
  readonly notes?: string;
  readonly preferred_time: ProtoTimestamp | null;
  readonly items: readonly {
    readonly menu_item_id?: string;
    readonly name?: string;
    readonly quantity: number;
    readonly extras: string[];
    readonly exclude_ingredients: string[];
  }[];
  readonly promo_code?: string;
  readonly expected_total_minor?: number;
}

/** Which order is meant. */
export interface OrderChoice {
  readonly order_id?: string;
  readonly track_token?: string;
}

export interface GetOrderRequest extends OrderChoice {
  readonly after_position?: number;
}
export interface CancelOrderRequest extends OrderChoice {
  readonly reason?: string;
}
export interface WatchOrderRequest extends OrderChoice {
  readonly after_position?: number;
}
export interface ListSlotsRequest {
  readonly branch_id?: string;
  readonly from: ProtoTimestamp | null;
  readonly to: ProtoTimestamp | null;
  readonly after_position?: number;
}

export interface ProtoSlotRef {
  readonly slot_id: string;
  readonly start: ProtoTimestamp;
  readonly end: ProtoTimestamp;
}

export interface ProtoOrderLine {
  readonly kind: string;
  readonly menu_item_id: string;
  readonly name: ProtoText;
  readonly quantity: number;
  readonly extras: readonly {
    readonly extra_id: string;
    readonly name: ProtoText;
    readonly price_minor?: number;
  }[];
  readonly exclude_ingredients: readonly string[];
  readonly unit_price_minor?: number;
  readonly list_price_minor?: number;
  readonly line_total_minor?: number;
}

export interface ProtoOrder {
  readonly order_id: string;
  readonly display_id: string;
  readonly status: string;
  readonly fulfilment: string;
  readonly items: readonly ProtoOrderLine[];
  readonly slot: ProtoSlotRef;
  readonly ready_at: ProtoTimestamp;
  readonly visible_at: ProtoTimestamp;
  readonly placed_at: ProtoTimestamp;
  readonly updated_at: ProtoTimestamp;
  readonly preorder: boolean;
  readonly branch_id?: string;
  readonly notes?: string;
  readonly customer?: { readonly name?: string; readonly phone?: string };
  readonly address?: string;
  readonly payment_method?: string;
  readonly currency?: string;
  readonly items_total_minor?: number;
  readonly delivery_fee_minor?: number;
  readonly discount_minor?: number;
  readonly total_minor?: number;
  readonly refunded_total_minor?: number;
  readonly cancel_reason?: string;
  readonly track_url?: string;
}

export interface CreateOrderResponse {
  readonly order_id: string;
  readonly display_id: string;
  readonly status: string;
  readonly slot: ProtoSlotRef;
  readonly ready_at: ProtoTimestamp;
  readonly visible_at: ProtoTimestamp;
  readonly items: readonly ProtoOrderLine[];
  readonly items_total_minor: number;
  readonly delivery_fee_minor: number;
  readonly discount_minor: number;
  readonly total_minor: number;
  readonly currency: string;
  readonly track_url: string;
  readonly position: number;
  readonly preorder: boolean;
}

export interface GetOrderResponse {
  readonly order: ProtoOrder;
}

export interface CancelOrderResponse {
  readonly order_id: string;
  readonly display_id: string;
  readonly status: string;
  readonly at: ProtoTimestamp;
  readonly position: number;
}

export interface WatchOrderResponse {
  readonly position: number;
  readonly type: string;
  readonly at: ProtoTimestamp;
  readonly status: string;
  readonly order?: ProtoOrder;
  readonly reason?: string;
  readonly refunded_total_minor?: number;
}

export interface ProtoSlot extends ProtoSlotRef {
  readonly branch_id?: string;
  readonly capacity_minor?: number;
  readonly load_minor?: number;
  readonly orders_count?: number;
  readonly delivery_count?: number;
  readonly pickup_count?: number;
  readonly delivery_plan?: number;
  readonly pickup_plan?: number;
  readonly disabled?: boolean;
}

export interface ListSlotsResponse {
  readonly slots: readonly ProtoSlot[];
}
