import type { PoolClient } from "pg";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import type { Projection } from "../../mixins/projection/projection";
import type { QuotaReturned, QuotaTaken } from "../quota/quota.events";
import type { Queryable } from "./menu.store";

/** How often a limited offer is used, as an event has said it. */
export interface OfferUse {
  readonly offer_id: string;
  readonly used: number;
  readonly position: Position;
}

export async function readUses(db: Queryable): Promise<OfferUse[]> {
  const { rows } = await db.query<OfferUse>("select offer_id, used, position from offer_uses");
  return rows;
}

/** How often one offer is used; 0: nobody has used it yet. */
export async function readUsed(db: Queryable, offer_id: string): Promise<number> {
  const { rows } = await db.query<OfferUse>("select used from offer_uses where offer_id = $1", [offer_id]);
  return rows[0]?.used ?? 0;
}

/** The newest word on each offer stands. */
export async function writeUses(tx: Queryable, uses: readonly OfferUse[]): Promise<void> {
  await tx.query(
    `insert into offer_uses as known (offer_id, used, position)
     select offer_id, used, position
     from jsonb_to_recordset($1::jsonb) as new (offer_id uuid, used integer, position bigint)
     on conflict (offer_id) do update set used = excluded.used, position = excluded.position
     where known.position < excluded.position`,
    [JSON.stringify(uses)],
  );
}

/** The limits of an offer as they stand in its row now. */
export interface OfferTerms {
  readonly kind: "sale" | "promo";
  /** False: nobody may use it any more. */
  readonly open: boolean;
  readonly limit_total: number | null;
  readonly limit_per_user: number | null;
  readonly first_order_only: boolean;
  /** Of its stream. */
  readonly version: number;
}

/** Of a sale or a promo code; undefined when there is neither. */
export async function readTerms(db: Queryable, offer_id: string): Promise<OfferTerms | undefined> {
  const { rows } = await db.query<OfferTerms>(
    `select 'sale' as kind, true as open, limit_quantity as limit_total, null::integer as limit_per_user,
       false as first_order_only, version
     from flash_sales where sale_id = $1
     union all
     select 'promo', active, limit_total, limit_per_user, first_order_only, version
     from promo_codes where promo_id = $1`,
    [offer_id],
  );
  return rows[0];
}

/** Events that say how often an offer is used. */
const USE_EVENTS: readonly string[] = ["quota.taken", "quota.returned"] satisfies (
  QuotaTaken | QuotaReturned
)["type"][];

/** The newest word of some events on each offer. */
export function usesIn(events: readonly RecordedEvent[]): OfferUse[] {
  const uses = new Map<string, OfferUse>();
  for (const { type, data, position } of events) {
    if (!USE_EVENTS.includes(type)) continue;
    const { quota_id, used, first_order } = data as (QuotaTaken | QuotaReturned)["data"];
    if (first_order === true) continue;
    uses.set(quota_id, { offer_id: quota_id, used, position });
  }
  return [...uses.values()];
}

/** How often each limited offer is used; events carry the whole number, so only the newest of a batch counts. */
export const offerUsesProjection: Projection = {
  name: "offer-uses",
  tables: ["offer_uses"],
  handles: USE_EVENTS,
  rows_of_one_stream: true,
  apply: (events, tx: PoolClient) => writeUses(tx, usesIn(events)),
};
