import { operationsOf, type Operation } from "../history";
import { canonical } from "../model/digest";
import { toldOf, type Facts, type LogEvent, type ToldOf } from "../model/events";
import type { Evidence, Violation } from "./evidence";

/**
 * Every acknowledged change has its one event, no key has two, and no change happened that nobody asked for. The same key
 * always gave the same answer. No client ever got an answer that none may get.
 */
export function effects({
  operations,
  events,
  began_at,
}: Pick<Evidence, "operations" | "events" | "began_at">): Violation[] {
  const changes = <Type extends keyof Facts>(type: Type, nameOf: (data: Facts[Type]) => string): Effect[] =>
    toldOf(events, type)
      .filter(({ position }) => position > began_at)
      .map(({ data, position }) => ({ position, name: nameOf(data as Facts[Type]) }));
  return [
    ...broken(operations),
    ...repeats(operations),
    ...oncePerKey(
      "order.cancelled",
      operationsOf(operations, "cancel"),
      changes("order.cancelled", ({ reason }) => reason),
    ),
    ...oncePerKey(
      "order.refunded",
      operationsOf(operations, "refund"),
      changes("order.refunded", ({ reason }) => reason),
    ),
    ...oncePerKey(
      "menu.published",
      operationsOf(operations, "publish"),
      changes("menu.published", ({ note }) => note ?? ""),
    ),
    ...steps(
      operations,
      changes("order.status_changed", ({ order_id, to }) => `${order_id} ${to}`),
    ),
    ...rules(operations, events),
  ];
}

interface Effect {
  readonly position: number;
  /** The key under which it was asked for; of a step, the order and where it leads. */
  readonly name: string;
}

type Command = Extract<Operation, { op: "cancel" | "refund" | "publish" }>;

function oncePerKey(type: string, commands: readonly Command[], found: readonly Effect[]): Violation[] {
  const violations: Violation[] = [];
  const byKey = Map.groupBy(found, ({ name }) => name);
  for (const { key, outcome, answer } of commands) {
    const mine = byKey.get(key) ?? [];
    byKey.delete(key);
    const positions = mine.map(({ position }) => position).join(", ");
    if (mine.length > 1)
      violations.push({ promise: `${type}.doubled`, detail: `key ${key} has effects at ${positions}` });
    if (mine.length > 0 && outcome === "refused")
      violations.push({
        promise: `${type}.refused_yet_done`,
        detail: `key ${key} has an effect at ${positions}`,
      });
    if (outcome !== "acked" || answer === null) continue;
    if (mine.length === 0)
      violations.push({
        promise: `${type}.lost`,
        detail: `key ${key} was acknowledged at ${answer.position}`,
      });
    else if (mine.every(({ position }) => position > answer.position))
      violations.push({
        promise: `${type}.acknowledged_early`,
        detail: `key ${key} was acknowledged at ${answer.position}, its effect is at ${positions}`,
      });
  }
  for (const [key, mine] of byKey)
    violations.push({
      promise: `${type}.unasked`,
      detail: `the effect at ${mine.map(({ position }) => position).join(", ")} has the key ${key}`,
    });
  return violations;
}

/** Steps have no text to carry a key, but an order takes each step once. */
function steps(operations: readonly Operation[], found: readonly Effect[]): Violation[] {
  const violations: Violation[] = [];
  const taken = Map.groupBy(found, ({ name }) => name);
  for (const [name, events] of taken)
    if (events.length > 1)
      violations.push({
        promise: "order.status_changed.doubled",
        detail: `${name} at ${events.map(({ position }) => position).join(", ")}`,
      });
  const wished = new Set<string>();
  const acknowledged = new Map<string, string>();
  for (const { asked, key, outcome, answer } of operationsOf(operations, "advance")) {
    const name = `${asked.order_id} ${asked.to}`;
    if (outcome !== "refused") wished.add(name);
    if (outcome !== "acked" || answer === null) continue;
    const other = acknowledged.get(name);
    if (other !== undefined)
      violations.push({
        promise: "order.status_changed.acknowledged_twice",
        detail: `${name} under the keys ${other} and ${key}`,
      });
    acknowledged.set(name, key);
    const [first] = taken.get(name) ?? [];
    if (first === undefined)
      violations.push({
        promise: "order.status_changed.lost",
        detail: `${name}, key ${key}, at ${answer.position}`,
      });
    else if (first.position > answer.position)
      violations.push({
        promise: "order.status_changed.acknowledged_early",
        detail: `${name} was acknowledged at ${answer.position} and is at ${first.position}`,
      });
  }
  for (const [name, [first]] of taken)
    if (!wished.has(name))
      violations.push({
        promise: "order.status_changed.unasked",
        detail: `${name} at ${first?.position ?? 0}`,
      });
  return violations;
}

/** What a change of a branch's rules was answered is what its stream says at that position. */
function rules(operations: readonly Operation[], events: readonly LogEvent[]): Violation[] {
  const configured = toldOf(events, "branch.slots_configured");
  return operationsOf(operations, "configure").flatMap(({ key, asked, answer }) => {
    if (answer === null) return [];
    const capacity = capacityAt(configured, asked.branch_id, answer.position);
    return capacity === undefined || capacity === answer.capacity_minor
      ? []
      : [
          {
            promise: "branch.slots_configured.lost",
            detail: `key ${key} was told ${answer.capacity_minor} at ${answer.position}, the log has ${capacity}`,
          },
        ];
  });
}

/** Undefined before the first change: then a branch has what it was opened with, and a change to just that is no event. */
function capacityAt(
  configured: readonly ToldOf<"branch.slots_configured">[],
  branch: string,
  until: number,
): number | undefined {
  const last = configured.findLast(
    ({ position, data: { branch_id, slot_rules } }) =>
      position <= until && branch_id === branch && slot_rules.capacity_minor !== undefined,
  );
  return last?.data.slot_rules.capacity_minor;
}

function repeats(operations: readonly Operation[]): Violation[] {
  return operationsOf(operations, "repeat")
    .filter(
      ({ asked, answer, outcome }) => outcome === "acked" && canonical(asked.first) !== canonical(answer),
    )
    .map(({ key, asked, answer }) => ({
      promise: "key.other_answer",
      detail: `key ${key} was first told ${JSON.stringify(asked.first)}, then ${JSON.stringify(answer)}`,
    }))
    .concat(
      operationsOf(operations, "repeat")
        .filter(({ outcome }) => outcome === "refused")
        .map(({ key, code }) => ({
          promise: "key.refused_later",
          detail: `key ${key} was acknowledged first and refused as ${code ?? "?"} later`,
        })),
    );
}

function broken(operations: readonly Operation[]): Violation[] {
  return operations
    .filter(({ outcome }) => outcome === "broken")
    .map(({ op, key, status, code }) => ({
      promise: "answer.broken",
      detail: `${op} with key ${key} was answered ${status ?? 0} ${code ?? ""}`,
    }));
}
