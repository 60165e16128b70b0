import type { Position } from "../../mixins/event-log/event-log";
import type { OrderEvent, OrderPlaced, OrderStatus } from "./order.events";
import { isClosed } from "./order.states";

/** What later events change in an order's row; null leaves a column as it is. */
export interface RowChange {
  readonly order_id: string;
  /** Leads to the row's partition. */
  readonly placed_at: string;
  status: OrderStatus | null;
  refunded_total_minor: number | null;
  processed_at: string | null;
  processed_by: string | null;
  cancel_reason: string | null;
  closed_at: string | null;
  courier_id: string | null;
  updated_at: string;
  position: Position;
}

/** A new row: an order as it was placed, and what became of it in the same batch. */
export interface NewRow extends RowChange {
  readonly placed: OrderPlaced["data"];
}

/**
 * A batch of events as sets of rows: what is new is inserted once, what is older is updated once, whatever happened to it. In a
 * rebuild most orders live from beginning to end within one batch, and are written as they ended.
 */
export interface RowBatch {
  readonly inserts: readonly NewRow[];
  readonly updates: readonly RowChange[];
}

/** Folds events, in their order, into new rows and one change an order. */
export function foldRows(
  events: readonly { readonly position: Position; readonly event: OrderEvent }[],
): RowBatch {
  const inserts = new Map<string, NewRow>();
  const updates = new Map<string, RowChange>();
  for (const { position, event } of events) {
    const { order_id, placed_at } = event.data;
    if (event.type === "order.placed") {
      if (!inserts.has(order_id)) inserts.set(order_id, newRow(event.data, position));
      continue;
    }
    const change = inserts.get(order_id) ?? updates.get(order_id) ?? unchanged(order_id, placed_at);
    if (!inserts.has(order_id)) updates.set(order_id, change);
    apply(change, event, position);
  }
  return { inserts: [...inserts.values()], updates: [...updates.values()] };
}

function newRow(placed: OrderPlaced["data"], position: Position): NewRow {
  const { order_id, placed_at } = placed;
  return { ...unchanged(order_id, placed_at), placed, status: "pending", refunded_total_minor: 0, position };
}

function unchanged(order_id: string, placed_at: string): RowChange {
  return {
    order_id,
    placed_at,
    status: null,
    refunded_total_minor: null,
    processed_at: null,
    processed_by: null,
    cancel_reason: null,
    closed_at: null,
    courier_id: null,
    updated_at: placed_at,
    position: 0,
  };
}

function apply(change: RowChange, event: Exclude<OrderEvent, OrderPlaced>, position: Position): void {
  const { at } = event.data;
  change.updated_at = at;
  change.position = position;
  switch (event.type) {
    case "order.status_changed":
      change.status = event.data.to;
      if (isClosed(event.data.to)) change.closed_at = at;
      if (event.data.courier_id !== undefined) change.courier_id = event.data.courier_id;
      return;
    case "order.cancelled":
      change.status = "cancelled";
      change.cancel_reason = event.data.reason;
      change.closed_at = at;
      return;
    case "order.processed":
      change.processed_at = at;
      change.processed_by = event.data.by;
      return;
    case "order.refunded":
      change.refunded_total_minor = event.data.refunded_total_minor;
      return;
    case "order.archived":
      change.status = "archived";
      return;
  }
}
