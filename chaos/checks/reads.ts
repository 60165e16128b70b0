import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { BranchChanged } from "../../services/branch/branch.events";
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

/** How long another node may take to hear that a cached value is old. */
const INVALIDATION_MS_MAX = 5_000;

/**
 * A value from a cache (`X-Cache: HIT`) is never older than a change whose invalidation must have arrived. Answers without
 * that header were not cached and are not judged.
 */
export function cachedReads({ operations, events }: Pick<Evidence, "operations" | "events">): Violation[] {
  const renames = operationsOf(operations, "rename").filter(({ outcome }) => outcome === "acked");
  const places = placesOfNames(events);
  return operationsOf(operations, "branches").flatMap(({ answer, start_ms }) => {
    if (answer?.x_cache !== "HIT") return [];
    return answer.items.flatMap(({ branch_id, name }) => {
      const due = renames.filter(
        ({ asked, end_ms }) => asked.branch_id === branch_id && end_ms + INVALIDATION_MS_MAX <= start_ms,
      );
      const newest = Math.max(0, ...due.map(({ asked }) => places.get(`${branch_id} ${asked.name}`) ?? 0));
      const shown = places.get(`${branch_id} ${name.en}`) ?? 0;
      return shown >= newest
        ? []
        : [{ promise: "cache.stale", detail: `${branch_id} is shown as ${name.en}, changed at ${newest}` }];
    });
  });
}

/** Where each name was given; every name is given once. */
function placesOfNames(events: readonly RecordedEvent[]): ReadonlyMap<string, number> {
  return new Map(
    events.flatMap(({ type, data, position }): [string, number][] => {
      if (type !== "branch.changed") return [];
      const { branch_id, details } = data as BranchChanged["data"];
      return details.name === undefined ? [] : [[`${branch_id} ${details.name.en}`, position]];
    }),
  );
}
