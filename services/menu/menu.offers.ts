import { refuse, type Refusal } from "../../mixins/contract/refusal";
import { codeOf } from "../../mixins/text/forms";
import type { MenuChange, Sign } from "./menu.change";
import {
  flashSaleStream,
  promoCodeStream,
  type FlashSale,
  type MenuDocument,
  type MenuEvent,
  type PromoCode,
} from "./menu.events";
import { promoSize, saleSize, tooGenerous } from "./menu.offer-size";
import * as store from "./menu.offer-store";
import { readUsed } from "./menu.offer-uses";
import { announcement, ended, unitsLeft, type SalePhase } from "./menu.sale-phase";
import { lockHead, readDocumentNewer, type Queryable } from "./menu.store";

/** Edits of flash sales and promo codes; each runs inside a transaction. A change names what it changes. */

type Named<T> = { readonly [F in keyof T]?: T[F] };
export type SaleTerms = Named<Omit<FlashSale, "sale_id">>;
export type PromoTerms = Named<Omit<PromoCode, "promo_id">>;

const NEW_SALE = { percent: null, price_minor: null, limit_quantity: null };
const NO_BENEFIT = { percent: null, price_minor: null };
const NEW_PROMO = {
  percent: null,
  amount_minor: null,
  min_total_minor: 0,
  valid_from: null,
  valid_until: null,
  active: true,
  limit_total: null,
  limit_per_user: null,
  first_order_only: false,
};

export async function createSale(
  tx: Queryable,
  sale_id: string,
  terms: SaleTerms & Pick<FlashSale, "name" | "item_ids" | "starts_at" | "ends_at">,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  return saveSale(tx, { sale_id, ...NEW_SALE, ...terms }, "planned", terms, sign);
}

export async function changeSale(
  tx: Queryable,
  sale_id: string,
  terms: SaleTerms,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  const known = await store.readSale(tx, sale_id, "for update");
  if (known === undefined) return unknownSale(sale_id);
  const benefit = terms.percent !== undefined || terms.price_minor !== undefined ? NO_BENEFIT : {};
  return saveSale(tx, { ...known.sale, ...benefit, ...terms }, known.phase, terms, sign);
}

export async function deleteSale(
  tx: Queryable,
  sale_id: string,
  { by, at }: Sign,
): Promise<MenuChange | Refusal> {
  const known = await store.deleteSale(tx, sale_id);
  if (known === undefined) return unknownSale(sale_id);
  const removed: MenuEvent = { type: "menu.sale_changed", data: { sale_id, sale: null, by, at } };
  const over = known.phase === "running" ? [ended(known.sale, "deleted", Date.parse(at))] : [];
  return {
    stream_id: flashSaleStream(sale_id),
    stream_type: "flash-sale",
    expected_version: known.version,
    events: [removed, ...over],
    answer: { sale_id },
  };
}

async function saveSale(
  tx: Queryable,
  wanted: FlashSale,
  phase: SalePhase,
  named: SaleTerms,
  { by, at, percent_max }: Sign,
): Promise<MenuChange | Refusal> {
  const sale = {
    ...wanted,
    item_ids: wanted.item_ids.map((id) => id.toLowerCase()),
    starts_at: instant(wanted.starts_at),
    ends_at: instant(wanted.ends_at),
  };
  const { starts_at, ends_at } = sale;
  if (starts_at === undefined || ends_at === undefined || starts_at >= ends_at)
    return refuse(
      "unprocessable",
      "sale.invalid_interval",
      "A sale ends after it starts, between 1970 and 9999.",
    );
  if ((sale.percent === null) === (sale.price_minor === null))
    return refuse("unprocessable", "sale.one_benefit", "A sale has either percent or price_minor.");
  const menu = await readDocumentNewer(tx, 0);
  const unknown = named.item_ids === undefined ? undefined : unknownAmong(menu, sale.item_ids);
  if (unknown !== undefined)
    return refuse("unprocessable", "menu.unknown_item", `The menu in force has no pizza or set ${unknown}.`, {
      item_id: unknown,
    });
  const saved: FlashSale = { ...sale, starts_at, ends_at };
  const generous = tooGenerous(saleSize(saved, menu), percent_max);
  if (generous !== undefined) return generous;
  const said: MenuEvent = { type: "menu.sale_changed", data: { sale_id: sale.sale_id, sale: saved, by, at } };
  const left = unitsLeft(saved.limit_quantity, await readUsed(tx, sale.sale_id));
  const due = announcement({ sale: saved, phase, left }, Date.parse(at));
  const events = [said, ...due.events];
  const expected_version = await store.writeSale(tx, saved, {
    ...{ phase: due.phase, events: events.length, at },
  });
  return {
    stream_id: flashSaleStream(sale.sale_id),
    stream_type: "flash-sale",
    expected_version,
    events,
    answer: { sale: saved },
  };
}

function unknownAmong(document: MenuDocument | undefined, item_ids: readonly string[]): string | undefined {
  const known = new Set([...(document?.pizzas ?? []), ...(document?.sets ?? [])].map(({ id }) => id));
  return item_ids.find((id) => !known.has(id));
}

export async function createPromo(
  tx: Queryable,
  promo_id: string,
  terms: PromoTerms & Pick<PromoCode, "code">,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  return savePromo(tx, { promo_id, ...NEW_PROMO, ...terms }, sign);
}

export async function changePromo(
  tx: Queryable,
  promo_id: string,
  terms: PromoTerms,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  const promo = await store.readPromo(tx, promo_id, "for update");
  if (promo === undefined) return unknownPromo(promo_id);
  const benefit =
    terms.percent !== undefined || terms.amount_minor !== undefined
      ? { percent: null, amount_minor: null }
      : {};
  return savePromo(tx, { ...promo, ...benefit, ...terms }, sign);
}

export async function deletePromo(
  tx: Queryable,
  promo_id: string,
  { by, at }: Sign,
): Promise<MenuChange | Refusal> {
  const expected_version = await store.deletePromo(tx, promo_id);
  if (expected_version === undefined) return unknownPromo(promo_id);
  const data = { promo_id, promo: null, by, at };
  return {
    stream_id: promoCodeStream(promo_id),
    stream_type: "promo-code",
    expected_version,
    events: [{ type: "menu.promo_changed", data }],
    answer: { promo_id },
  };
}

async function savePromo(
  tx: Queryable,
  wanted: PromoCode,
  { by, at, percent_max }: Sign,
): Promise<MenuChange | Refusal> {
  const valid_from = wanted.valid_from === null ? null : instant(wanted.valid_from);
  const valid_until = wanted.valid_until === null ? null : instant(wanted.valid_until);
  if (
    valid_from === undefined ||
    valid_until === undefined ||
    (valid_from !== null && valid_until !== null && valid_from >= valid_until)
  )
    return refuse(
      "unprocessable",
      "promo.invalid_interval",
      "A promo code ends after it begins, between 1970 and 9999.",
    );
  if ((wanted.percent === null) === (wanted.amount_minor === null))
    return refuse("unprocessable", "promo.one_benefit", "A promo code has either percent or amount_minor.");
  const promo: PromoCode = { ...wanted, code: codeOf(wanted.code), valid_from, valid_until };
  const generous = tooGenerous(promoSize(promo), percent_max);
  if (generous !== undefined) return generous;
  await lockHead(tx);
  const owner = await store.promoIdOf(tx, promo.code);
  if (owner !== undefined && owner !== promo.promo_id)
    return refuse("conflict", "promo.code_taken", `There is already a promo code ${promo.code}.`, {
      promo_id: owner,
    });
  const expected_version = await store.writePromo(tx, promo, at);
  const data = { promo_id: promo.promo_id, promo, by, at };
  return {
    stream_id: promoCodeStream(promo.promo_id),
    stream_type: "promo-code",
    expected_version,
    events: [{ type: "menu.promo_changed", data }],
    answer: { promo },
  };
}

export function unknownSale(sale_id: string): Refusal {
  return refuse("not_found", "sale.unknown", `There is no flash sale ${sale_id}.`);
}

export function unknownPromo(promo_id: string): Refusal {
  return refuse("not_found", "promo.unknown", `There is no promo code ${promo_id}.`);
}

/** The same moment in the one form that sorts as text; undefined for what JSON Schema lets pass but no calendar has. */
function instant(text: string): string | undefined {
  const ms = Date.parse(text);
  return ms >= 0 && ms < Date.UTC(10_000, 0) ? new Date(ms).toISOString() : undefined;
}
