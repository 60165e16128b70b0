import { isDeepStrictEqual } from "node:util";
import type { NewEvent } from "../event-log/event-log";

/** The events that the changes of an entity's rows become, declared once beside the entity. */
export interface EntityEvents<Row extends object> {
  /** Event types, e.g. `camera.created`. */
  readonly create: string;
  readonly update: string;
  readonly delete: string;
  /** Fields whose change has an event type of its own instead of `update`; a change of several kinds makes several events. */
  readonly update_of?: Readonly<Record<string, string>>;
  /** What of the row others are told. Never a secret: the log keeps it for ever, and it goes to whoever reads channels. */
  readonly payload_fields: readonly (keyof Row & string)[];
  /** Fields by which others look the row up: who remembers it under the old value must hear which that was. */
  readonly key_fields?: readonly (keyof Row & string)[];
}

/** `data` of an entity's event: the payload fields, after the change; of a deleted row as it last was. */
export type EntityEventData<Row extends object, F extends keyof Row> = Pick<Row, F> & {
  /** Of an update: the fields that this event tells of, payload fields or not. */
  readonly changed?: readonly string[];
  /** Of an update that changed key fields: their values before. Carried by each event of the change. */
  readonly previous?: Partial<Row>;
};

export function creationOf<Row extends object>(events: EntityEvents<Row>, row: Row): NewEvent {
  return { type: events.create, data: payloadOf(events, row) };
}

export function deletionOf<Row extends object>(events: EntityEvents<Row>, row: Row): NewEvent {
  return { type: events.delete, data: payloadOf(events, row) };
}

/** One event for each kind of change, `update` first; none where nothing changed. */
export function updateOf<Row extends object>(
  events: EntityEvents<Row>,
  before: Row,
  after: Row,
  fields: readonly (keyof Row & string)[],
): NewEvent[] {
  const changed = fields.filter((field) => !isDeepStrictEqual(before[field], after[field]));
  const keys = (events.key_fields ?? []).filter((field) => changed.includes(field));
  const previous = keys.length === 0 ? {} : { previous: picked(before, keys) };
  const own = new Map(Object.entries(events.update_of ?? {}));
  return [events.update, ...own.values()].flatMap((type) => {
    const names = changed.filter((field) => (own.get(field) ?? events.update) === type);
    if (names.length === 0) return [];
    return [{ type, data: { ...payloadOf(events, after), changed: names, ...previous } }];
  });
}

function payloadOf<Row extends object>({ payload_fields }: EntityEvents<Row>, row: Row): Partial<Row> {
  return picked(row, payload_fields);
}

function picked<Row extends object>(row: Row, fields: readonly (keyof Row & string)[]): Partial<Row> {
  return Object.fromEntries(fields.map((field): [string, unknown] => [field, row[field]])) as Partial<Row>;
}
