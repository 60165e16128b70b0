import type { RawDocument } from "../../mixins/contract/contract";
import { etagOf } from "../../mixins/rest/etag";
import type { MenuBoard } from "./menu.board";
import type { MenuDocument } from "./menu.events";
import { pricesAt, type PricesInForce, type SalePrice } from "./menu.sale-prices";
import type { MenuDocumentPart } from "./menu.schemas";

/** A document as bytes with its strong ETag, and the version of the menu that it shows. */
export type ReadyDocument = RawDocument & {
  readonly body: Buffer;
  readonly etag: string;
  readonly version: number;
};
export type ReadyDocuments = Readonly<Record<MenuDocumentPart, ReadyDocument>>;

/**
 * The public documents of a board, ready to be sent, at the prices of the moment of asking: a sale begins and ends in them at
 * its very millisecond, on every node, because whoever asks looks at the clock; there is nothing that could come late. They are
 * made anew only when a price is another.
 */
export class PublicDocuments {
  #shown: (PricesInForce & { readonly board: MenuBoard; readonly ready: ReadyDocuments }) | undefined;

  at(board: MenuBoard, now_ms: number): ReadyDocuments {
    const shown = this.#shown;
    if (shown?.board === board && now_ms >= shown.from_ms && now_ms < shown.until_ms) return shown.ready;
    const prices = pricesAt(board, now_ms);
    const same = shown?.board.document === board.document && samePrices(shown.prices, prices.prices);
    const ready = same ? shown.ready : readyDocuments(board.document, prices.prices);
    this.#shown = { ...prices, board, ready };
    return ready;
  }
}

/** The documents at the prices of some sales. The same menu at the same prices has the same bytes on every node. */
export function readyDocuments(
  { pizzas, extras, sets, ...head }: MenuDocument,
  prices: ReadonlyMap<string, SalePrice>,
): ReadyDocuments {
  const ready = (part: object): ReadyDocument => {
    const body = Buffer.from(JSON.stringify(part));
    return {
      body,
      etag: etagOf(body),
      content_type: "application/json; charset=utf-8",
      version: head.version,
    };
  };
  const priced = <T extends { readonly id: string }>(items: readonly T[]) =>
    items.map((item) => {
      const sale = prices.get(item.id);
      return sale === undefined ? item : { ...item, sale };
    });
  const shown = { pizzas: priced(pizzas), extras, sets: priced(sets) };
  return {
    menu: ready({ ...head, ...shown }),
    pizzas: ready({ ...head, pizzas: shown.pizzas }),
    extras: ready({ ...head, extras }),
    sets: ready({ ...head, sets: shown.sets }),
  };
}

function samePrices(a: ReadonlyMap<string, SalePrice>, b: ReadonlyMap<string, SalePrice>): boolean {
  return a.size === b.size && JSON.stringify([...a]) === JSON.stringify([...b]);
}
