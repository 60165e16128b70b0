import type { FlashSale, PromoCode } from "./menu.events";
import type { SalePhase } from "./menu.sale-phase";
import type { Queryable } from "./menu.store";

/** The statements of flash sales and promo codes. */

type Lock = "" | "for update";

const SALE_COLUMNS =
  "sale_id, name_ru, name_en, item_ids, percent, price_minor, starts_at, ends_at, limit_quantity";
const SALE = `select ${SALE_COLUMNS} from flash_sales`;
type SaleRow = Omit<FlashSale, "name" | "starts_at" | "ends_at"> & {
  readonly name_ru: string;
  readonly name_en: string;
  readonly starts_at: Date;
  readonly ends_at: Date;
};

/** A sale with what the log was told of it, and the version of its stream. */
export interface LoggedSale {
  readonly sale: FlashSale;
  readonly phase: SalePhase;
  readonly version: number;
}
const LOGGED_SALE = `select ${SALE_COLUMNS}, phase, version from flash_sales`;
type LoggedRow = SaleRow & Omit<LoggedSale, "sale">;
const loggedOf = ({ phase, version, ...row }: LoggedRow): LoggedSale => ({
  ...{ sale: saleOf(row), phase, version },
});

function saleOf({ name_ru, name_en, starts_at, ends_at, ...row }: SaleRow): FlashSale {
  return {
    ...row,
    name: { ru: name_ru, en: name_en },
    starts_at: starts_at.toISOString(),
    ends_at: ends_at.toISOString(),
  };
}

/** Sales that have not ended at `now`, by id. */
export async function readSales(db: Queryable, now: Date): Promise<FlashSale[]> {
  const { rows } = await db.query<SaleRow>(`${SALE} where ends_at > $1 order by sale_id`, [now]);
  return rows.map(saleOf);
}

export async function readSale(
  db: Queryable,
  sale_id: string,
  lock: Lock = "",
): Promise<LoggedSale | undefined> {
  const { rows } = await db.query<LoggedRow>(`${LOGGED_SALE} where sale_id = $1 ${lock}`, [sale_id]);
  return rows.map(loggedOf)[0];
}

/** Sales of which the log may have something to be told: those that it does not know to be over, and those that are not. */
export async function readSalesToAnnounce(db: Queryable, now: Date): Promise<LoggedSale[]> {
  const { rows } = await db.query<LoggedRow>(`${LOGGED_SALE} where phase <> 'ended' or ends_at > $1`, [now]);
  return rows.map(loggedOf);
}

/** Newest id first; `before` is exclusive. */
export async function pageSales(db: Queryable, before: string | null, limit: number): Promise<FlashSale[]> {
  const { rows } = await db.query<SaleRow>(
    `${SALE} where $1::uuid is null or sale_id < $1 order by sale_id desc limit $2`,
    [before, limit],
  );
  return rows.map(saleOf);
}

/** Writes the whole row and counts its events; returns the version of its stream before. */
export async function writeSale(
  tx: Queryable,
  sale: FlashSale,
  { phase, events, at }: { readonly phase: SalePhase; readonly events: number; readonly at: string },
): Promise<number> {
  const { sale_id, name, item_ids, percent, price_minor, starts_at, ends_at, limit_quantity } = sale;
  const { rows } = await tx.query<{ version: number }>(
    `insert into flash_sales (${SALE_COLUMNS}, phase, updated_at, version)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     on conflict (sale_id) do update set
       name_ru = excluded.name_ru, name_en = excluded.name_en, item_ids = excluded.item_ids, percent = excluded.percent,
       price_minor = excluded.price_minor, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
       limit_quantity = excluded.limit_quantity, phase = excluded.phase, updated_at = excluded.updated_at,
       version = flash_sales.version + excluded.version
     returning version`,
    [
      ...[sale_id, name.ru, name.en, item_ids, percent, price_minor, starts_at, ends_at, limit_quantity],
      ...[phase, at, events],
    ],
  );
  return before(rows, events);
}

/** Moves a sale from the phase and version that it was seen in; false: it is another by now. */
export async function movePhase(
  tx: Queryable,
  sale_id: string,
  from: Pick<LoggedSale, "phase" | "version">,
  to: { readonly phase: SalePhase; readonly events: number },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update flash_sales set phase = $4, version = version + $5 where sale_id = $1 and phase = $2 and version = $3`,
    [sale_id, from.phase, from.version, to.phase, to.events],
  );
  return rowCount === 1;
}

/** Returns the sale as it was; undefined: there was none. */
export async function deleteSale(tx: Queryable, sale_id: string): Promise<LoggedSale | undefined> {
  const { rows } = await tx.query<LoggedRow>(
    `delete from flash_sales where sale_id = $1 returning ${SALE_COLUMNS}, phase, version`,
    [sale_id],
  );
  return rows.map(loggedOf)[0];
}

const PROMO_COLUMNS = `promo_id, code, percent, amount_minor, min_total_minor, valid_from, valid_until, active,
  limit_total, limit_per_user, first_order_only`;
const PROMO = `select ${PROMO_COLUMNS} from promo_codes`;
type PromoRow = Omit<PromoCode, "valid_from" | "valid_until"> & {
  readonly valid_from: Date | null;
  readonly valid_until: Date | null;
};

function promoOf({ valid_from, valid_until, ...row }: PromoRow): PromoCode {
  return {
    ...row,
    valid_from: valid_from?.toISOString() ?? null,
    valid_until: valid_until?.toISOString() ?? null,
  };
}

/** All of them, so that an expired one can be told from an unknown one. */
export async function readPromos(db: Queryable): Promise<PromoCode[]> {
  const { rows } = await db.query<PromoRow>(PROMO);
  return rows.map(promoOf);
}

export async function readPromo(
  db: Queryable,
  promo_id: string,
  lock: Lock = "",
): Promise<PromoCode | undefined> {
  const { rows } = await db.query<PromoRow>(`${PROMO} where promo_id = $1 ${lock}`, [promo_id]);
  return rows.map(promoOf)[0];
}

/** Newest id first; `before` is exclusive. */
export async function pagePromos(db: Queryable, before: string | null, limit: number): Promise<PromoCode[]> {
  const { rows } = await db.query<PromoRow>(
    `${PROMO} where $1::uuid is null or promo_id < $1 order by promo_id desc limit $2`,
    [before, limit],
  );
  return rows.map(promoOf);
}

export async function promoIdOf(db: Queryable, code: string): Promise<string | undefined> {
  const { rows } = await db.query<{ promo_id: string }>("select promo_id from promo_codes where code = $1", [
    code,
  ]);
  return rows[0]?.promo_id;
}

/** Writes the whole row and counts its event; returns the version of its stream before. */
export async function writePromo(tx: Queryable, promo: PromoCode, at: string): Promise<number> {
  const { promo_id, code, percent, amount_minor, min_total_minor, valid_from, valid_until, active } = promo;
  const { limit_total, limit_per_user, first_order_only } = promo;
  const { rows } = await tx.query<{ version: number }>(
    `insert into promo_codes (${PROMO_COLUMNS}, updated_at, version)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)
     on conflict (promo_id) do update set
       code = excluded.code, percent = excluded.percent, amount_minor = excluded.amount_minor,
       min_total_minor = excluded.min_total_minor, valid_from = excluded.valid_from, valid_until = excluded.valid_until,
       active = excluded.active, limit_total = excluded.limit_total, limit_per_user = excluded.limit_per_user,
       first_order_only = excluded.first_order_only, updated_at = excluded.updated_at, version = promo_codes.version + 1
     returning version`,
    [
      ...[promo_id, code, percent, amount_minor, min_total_minor, valid_from, valid_until, active],
      ...[limit_total, limit_per_user, first_order_only, at],
    ],
  );
  return before(rows, 1);
}

/** Returns the version of its stream; undefined: there was none. */
export async function deletePromo(tx: Queryable, promo_id: string): Promise<number | undefined> {
  const { rows } = await tx.query<{ version: number }>(
    "delete from promo_codes where promo_id = $1 returning version",
    [promo_id],
  );
  return rows[0]?.version;
}

function before(rows: readonly { readonly version: number }[], events: number): number {
  return (rows[0]?.version ?? events) - events;
}
