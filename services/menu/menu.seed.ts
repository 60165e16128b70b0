import type { CommandIdentity } from "../../mixins/contract/caller";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import type { Runtime } from "../../mixins/runtime";
import { appendOf, type MenuChange, type Sign } from "./menu.change";
import type { PromoCode } from "./menu.events";
import { createPromo, createSale } from "./menu.offers";
import { publishDrafts } from "./menu.publisher";
import { SEED_ITEMS, SEED_LIMITED_PROMO, SEED_PROMO, seedSale } from "./menu.seed-data";
import * as store from "./menu.store";

/** Never leaves this file: the chain has a menu already, and it is the chain's own by now. */
const ALREADY = refuse("conflict", "menu.already_seeded", "There is a menu already.");

/**
 * Publishes the first menu with its flash sale and promo codes, in one transaction and through the same code as any other
 * publish. Does nothing where any menu was ever published, so that a later start never takes back what people changed.
 * @returns whether it did something.
 */
export async function seedMenu(
  runtime: Pick<Runtime, "pool" | "log" | "clock">,
  identity: CommandIdentity,
): Promise<boolean> {
  const now_ms = runtime.clock.now();
  const sign: Sign = { by: null, at: new Date(now_ms).toISOString(), percent_max: 100 };
  const outcome = await changeRows(runtime, identity, async (tx) => {
    const { version } = await store.lockHead(tx);
    if (version > 0) return ALREADY;
    const published = await publishFirst(tx, sign);
    const changes = [published, await offerSale(tx, now_ms, sign)];
    for (const promo of [SEED_PROMO, SEED_LIMITED_PROMO]) changes.push(await offerPromo(tx, promo, sign));
    const streams = changes.map((change) => appendOf(orDefect(change)));
    return { streams, answer: {}, meta: { actor: "system:seed" } };
  });
  if (outcome === ALREADY) return false;
  if (isRefusal(outcome)) throw new Error(`The first menu was refused: ${outcome.code} ${outcome.detail}`);
  return !outcome.replayed;
}

async function publishFirst(tx: store.Queryable, sign: Sign): Promise<MenuChange | Refusal> {
  for (const { item_id, kind, ...fields } of SEED_ITEMS)
    await store.writeDraft(tx, {
      item_id,
      kind,
      change: "create",
      fields,
      edited_by: null,
      edited_at: sign.at,
    });
  return publishDrafts(tx, "First menu", sign);
}

function offerSale(tx: store.Queryable, now_ms: number, sign: Sign): Promise<MenuChange | Refusal> {
  const { sale_id, ...terms } = seedSale(now_ms);
  return createSale(tx, sale_id, terms, sign);
}

function offerPromo(
  tx: store.Queryable,
  { promo_id, ...terms }: PromoCode,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  return createPromo(tx, promo_id, terms, sign);
}

function orDefect(change: MenuChange | Refusal): MenuChange {
  if (isRefusal(change)) throw new Error(`The first menu was refused: ${change.code} ${change.detail}`);
  return change;
}
