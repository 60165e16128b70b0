import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { MenuSaleChanged } from "../../services/menu/menu.events";
import { operationsOf } from "../history";
import type { Evidence, Violation } from "./evidence";

/**
 * Whoever reads with `?after=` sees at least that; an order that one client alone changes reads exactly as that client was
 * told last.
 */
export function reads({ operations }: Pick<Evidence, "operations">): Violation[] {
  return operationsOf(operations, "read").flatMap(({ key, asked, answer, outcome, code }) => {
    if (outcome === "refused")
      return [{ promise: "read.refused", detail: `${asked.order_id} after ${asked.after}: ${code ?? "?"}` }];
    if (answer === null) return [];
    const { told } = asked;
    return answer.status === told.status && answer.refunded_total_minor === told.refunded_total_minor
      ? []
      : [
          {
            promise: "read.stale",
            detail: `${asked.order_id} after ${asked.after} reads ${JSON.stringify(answer)}, its client was told ${JSON.stringify(told)} (${key})`,
          },
        ];
  });
}

/**
 * A change ends cached values before it is acknowledged, while its node reaches Redis; where it does not, the event of the change
 * does it, by the node that follows events for the cache, which another may first have to take over from.
 */
const INVALIDATION_MS_MAX = 5_000;

/**
 * A value from a cache (`X-Cache: HIT`) is never older than a change whose invalidation must have arrived. Answers that were
 * not cached are not judged.
 */
export function cachedReads({ operations, events }: Pick<Evidence, "operations" | "events">): Violation[] {
  const renames = operationsOf(operations, "rename").filter(({ outcome }) => outcome === "acked");
  const places = placesOfNames(events);
  return operationsOf(operations, "sales").flatMap(({ answer, start_ms }) => {
    if (answer?.x_cache !== "HIT") return [];
    return answer.items.flatMap(({ sale_id, name }) => {
      const due = renames.filter(
        ({ asked, end_ms }) => asked.sale_id === sale_id && end_ms + INVALIDATION_MS_MAX <= start_ms,
      );
      const newest = Math.max(0, ...due.map(({ asked }) => places.get(`${sale_id} ${asked.name}`) ?? 0));
      const shown = places.get(`${sale_id} ${name.en}`) ?? 0;
      return shown >= newest
        ? []
        : [{ promise: "cache.stale", detail: `${sale_id} is shown as ${name.en}, changed at ${newest}` }];
    });
  });
}

/** Where each name was given; every name is given once. */
function placesOfNames(events: readonly RecordedEvent[]): ReadonlyMap<string, number> {
  return new Map(
    events.flatMap(({ type, data, position }): [string, number][] => {
      if (type !== "menu.sale_changed") return [];
      const { sale_id, sale } = data as MenuSaleChanged["data"];
      return sale === null ? [] : [[`${sale_id} ${sale.name.en}`, position]];
    }),
  );
}
