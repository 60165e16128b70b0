import type { Caller } from "../contract/caller";

/**
 * Words of this room, as far as subscriptions go:
 *
 * - **entity**: what can be subscribed to, e.g. `CameraEvents`; each message of its channels is one.
 * - **filter**: `field__operator: value`. All filters of a subscription must hold; a missing value never does.
 * - **guard**: the filter that the caller's rights add to every subscription, asked for each message.
 */

export type Operator = "eq" | "in" | "gte" | "lte" | "icontains";
/** What a field holds. Times compare as instants, UUIDs and MACs however they are written; `json` is never filtered by. */
export type FieldKind = "uuid" | "mac" | "text" | "time" | "number" | "json";

const OPERATORS: Readonly<Record<FieldKind, readonly Operator[]>> = {
  uuid: ["eq", "in"],
  mac: ["eq", "in"],
  text: ["eq", "in", "icontains"],
  time: ["eq", "gte", "lte"],
  number: ["eq", "in", "gte", "lte"],
  json: [],
};

/** An entity that clients may subscribe to. */
export interface SubscriptionDefinition<F extends string = string> {
  readonly entity: string;
  readonly channels: readonly [string, ...string[]];
  /** Everything of a message that may leave; whatever else it carries stays inside. */
  readonly fields: Readonly<Record<F, FieldKind>>;
  /** Operators by field, the field that tells most first: subscriptions are found by the first with `eq` or `in`. */
  readonly filters: Readonly<Partial<Record<NoInfer<F>, readonly Operator[]>>>;
  readonly guard: {
    readonly field: NoInfer<F>;
    /** Values of the field that this caller may hear of. */
    allowed(caller: Caller): readonly string[] | "all";
  };
}

/**
 * Declares an entity that clients may subscribe to.
 * @throws Error when a filter or the guard names no declared field, or an operator does not suit its field.
 */
export function defineSubscription<F extends string>(
  definition: SubscriptionDefinition<F>,
): SubscriptionDefinition {
  const { entity, fields, filters, guard } = definition;
  for (const [field, operators] of Object.entries<readonly Operator[] | undefined>(filters)) {
    const kind = (fields as Readonly<Record<string, FieldKind | undefined>>)[field];
    if (kind === undefined) throw new Error(`${entity} filters by ${field}, which it does not declare.`);
    const wrong = operators?.find((operator) => !OPERATORS[kind].includes(operator));
    if (wrong !== undefined)
      throw new Error(`${entity}.${field} holds ${kind}, which ${wrong} does not suit.`);
  }
  if (!["uuid", "text"].includes(fields[guard.field]))
    throw new Error(`The guard of ${entity} needs a field of text or UUIDs.`);
  return definition;
}
