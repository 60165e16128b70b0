import type { FaultName } from "../schedule";

/** A way in which a product may break a promise, and by which promises it is found out. */
export interface Sabotage {
  readonly what: string;
  /** One of these has to be named. */
  readonly found_by: readonly string[];
  /** Without which it cannot be seen. */
  readonly faults?: readonly FaultName[];
}

/** Each is a file of its name in `patches/`, which changes how a node behaves that was started for this alone. */
export const SABOTAGES = {
  "unlogged-orders": {
    what: "some orders are acknowledged and never written",
    found_by: ["order.lost"],
  },
  "forgotten-keys": {
    what: "a key that comes again does its work again",
    found_by: ["order.doubled"],
  },
  "backward-steps": {
    what: "an order that is ready goes back to the oven",
    found_by: ["order.illegal_step"],
  },
  "double-refunds": { what: "money is given back twice", found_by: ["order.refunded.doubled"] },
  "ignored-menus": {
    what: "each node ignores a third of the menus that are published",
    found_by: ["price.old_menu", "menu.stale"],
  },
  "free-deliveries": { what: "a delivery's fee is left out", found_by: ["price.sum"] },
  "oversold-slots": { what: "slots are sold beyond their capacity", found_by: ["slot.oversold"] },
  "discounted-slots": { what: "a sale makes room in the kitchen", found_by: ["slot.share"] },
  "generous-offers": {
    what: "codes and sales are given away beyond their limit",
    found_by: ["quota.oversold"],
  },
  "deaf-projection": {
    what: "the orders' read model hears of no refund",
    found_by: ["read_model.differs"],
  },
  "early-reads": { what: "a read does not wait for what it was told to show", found_by: ["read.stale"] },
  "wrong-mirror": { what: "every order in Redis has a total of 1", found_by: ["mirror.differs"] },
  "stale-mirror": { what: "some keys in Redis are not written again", found_by: ["mirror.differs"] },
  "unannounced-slots": {
    what: "one slot:changed in fifty is sent to nobody",
    found_by: ["socket.missed"],
  },
  "socket-gaps": {
    what: "who comes back to a socket misses the first of what was missed",
    found_by: ["socket.missed"],
  },
  "curious-cooks": { what: "cooks see what the desk sees", found_by: ["socket.other_content"] },
  "eventless-caches": { what: "no event ends what a cache holds", found_by: ["cache.stale"] },
  "deaf-caches": { what: "nothing ends what a cache holds", found_by: ["cache.stale"] },
  "unfenced-checkpoint": {
    what: "a checkpoint may be moved by who does not know where it is",
    found_by: ["checkpoint.not_fenced"],
    faults: ["contest-checkpoint"],
  },
  "hasty-commits": {
    what: "a commit is answered before the standby has it",
    found_by: ["order.lost"],
    faults: ["frozen-standby"],
  },
  "miscounted-streams": {
    what: "streams stand elsewhere than their events",
    found_by: ["stream.version"],
  },
  "dying-node": { what: "a node ends by itself", found_by: ["node.died"] },
} as const satisfies Readonly<Record<string, Sabotage>>;
export type SabotageName = keyof typeof SABOTAGES;

export const SABOTAGE_NAMES = Object.keys(SABOTAGES) as SabotageName[];

/** Reads `a,b,c`, or `all`. @throws RangeError that names what is no sabotage. */
export function sabotagesNamed(list: string): readonly SabotageName[] {
  if (list === "all") return SABOTAGE_NAMES;
  const names = list.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !Object.hasOwn(SABOTAGES, name));
  if (wrong !== undefined)
    throw new RangeError(`${wrong} is no sabotage; there are ${SABOTAGE_NAMES.join(", ")}.`);
  return names as SabotageName[];
}
