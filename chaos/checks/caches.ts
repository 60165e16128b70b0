import { operationsOf, type OperationOf } from "../history";
import { canonical, differences } from "../model/digest";
import { told, toldOf, type LogEvent } from "../model/events";
import { dishesOf } from "../model/tables";
import type { Evidence, Violation } from "./evidence";

/**
 * The event of a change ends what was kept within milliseconds; by another node where the one whose work it is cannot, after
 * some five seconds.
 */
const ENDED_MS_MAX = 5_000;

/**
 * A value from a cache (`X-Cache: HIT`) is never older than what was ended by hand before it was asked for, or than a change of
 * more than five seconds ago. Answers that were not cached are not judged, nor those of while the log lost something.
 */
export function caches(
  evidence: Pick<Evidence, "operations" | "events" | "disturbances" | "load_began_ms">,
): Violation[] {
  const { events, disturbances, load_began_ms } = evidence;
  const rewinds = disturbances.filter(({ rewound }) => rewound === true);
  const operations = evidence.operations.filter(({ start_ms, end_ms }) =>
    rewinds.every(
      ({ began_ms, ended_ms }) => load_began_ms + end_ms < began_ms || load_began_ms + start_ms > ended_ms,
    ),
  );
  return [...oldSales(operations, events), ...oldCompany(operations, events)];
}

function oldSales(operations: Evidence["operations"], events: readonly LogEvent[]): Violation[] {
  const renames = acked(operationsOf(operations, "rename"));
  const ends = acked(operationsOf(operations, "invalidate"));
  const places = placesOfNames(events);
  return operationsOf(operations, "sales").flatMap(({ answer, start_ms }) => {
    if (answer?.x_cache !== "HIT") return [];
    // By hand: whatever was acknowledged before that began is over when it is acknowledged.
    const ended_ms = Math.max(
      start_ms - ENDED_MS_MAX,
      ...ends.filter(({ end_ms }) => end_ms <= start_ms).map((end) => end.start_ms),
    );
    return answer.items.flatMap(({ sale_id, name }) => {
      const due = renames.filter(({ asked, end_ms }) => asked.sale_id === sale_id && end_ms <= ended_ms);
      const newest = Math.max(0, ...due.map(({ asked }) => places.get(`${sale_id} ${asked.name}`) ?? 0));
      const shown = places.get(`${sale_id} ${name.en}`) ?? 0;
      return shown >= newest
        ? []
        : [{ promise: "cache.stale", detail: `${sale_id} is shown as ${name.en}, changed at ${newest}` }];
    });
  });
}

const acked = <O extends { readonly outcome: string }>(operations: readonly O[]): O[] =>
  operations.filter(({ outcome }) => outcome === "acked");

/** Where each name was given; every name is given once. */
function placesOfNames(events: readonly LogEvent[]): ReadonlyMap<string, number> {
  return new Map(
    toldOf(events, "menu.sale_changed").flatMap(({ data: { sale_id, sale }, position }) =>
      sale === null ? [] : [[`${sale_id} ${sale.name.en}`, position] as const],
    ),
  );
}

/** What is ordered together with a dish, as counted at some moment not before the last order of it that had to end the value. */
function oldCompany(operations: Evidence["operations"], events: readonly LogEvent[]): Violation[] {
  const looks = operationsOf(operations, "company").filter(({ answer }) => answer?.x_cache === "HIT");
  const histories = new Map<string, readonly Company[]>();
  for (const { asked } of looks)
    if (!histories.has(asked.item_id)) histories.set(asked.item_id, companyOf(asked.item_id, events));
  const placed = new Map(
    acked(operationsOf(operations, "place")).flatMap(({ answer, end_ms }) =>
      answer === null ? [] : [[answer.order_id, end_ms] as const],
    ),
  );
  return looks.flatMap((look) => {
    const history = histories.get(look.asked.item_id) ?? [];
    const least = history.findLastIndex(
      ({ ended_by }) =>
        ended_by !== undefined && (placed.get(ended_by) ?? Infinity) + ENDED_MS_MAX <= look.start_ms,
    );
    return matches(look, history.slice(Math.max(0, least)))
      ? []
      : [
          {
            promise: "cache.stale",
            detail: `what goes with ${look.asked.item_id}: ${differences(look.answer?.counts, history[Math.max(0, least)]?.counts).join(", ")}`,
          },
        ];
  });
}

/** In how many orders each other dish came with one, after some event; and the order that has to end what was kept before it. */
interface Company {
  readonly counts: Readonly<Record<string, number>>;
  readonly ended_by: string | undefined;
}

function companyOf(item_id: string, events: readonly LogEvent[]): Company[] {
  const baskets = new Map<string, readonly string[]>();
  const history: Company[] = [{ counts: {}, ended_by: undefined }];
  const count = (others: readonly string[], by: 1 | -1, ended_by: string | undefined): void => {
    const counts: Record<string, number> = { ...history.at(-1)?.counts };
    for (const other of others) counts[other] = (counts[other] ?? 0) + by;
    history.push({ counts: Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)), ended_by });
  };
  for (const event of events) {
    const { type, data } = told(event);
    if (type === "order.placed") {
      const dishes = dishesOf({ placed: data });
      if (!dishes.includes(item_id) || dishes.length < 2) continue;
      const others = dishes.filter((dish) => dish !== item_id);
      baskets.set(data.order_id, others);
      count(others, 1, data.order_id);
    } else if (type === "order.cancelled") {
      const others = baskets.get(data.order_id);
      if (others !== undefined) count(others, -1, undefined);
    }
  }
  return history;
}

/** No dish is switched off in such a history: an answer leaves none out. */
function matches({ answer }: OperationOf<"company">, history: readonly Company[]): boolean {
  return history.some(({ counts }) => canonical(counts) === canonical(answer?.counts));
}
