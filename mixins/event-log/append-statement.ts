import type { QueryConfig } from "pg";
import type { AppendOutcome, EventForm, Position, RecordedEvent } from "./event-log";
import type { LogMark } from "./lineage";
import type { PreparedUnit } from "./prepared-unit";
import { logTypes, rfc3339 } from "./row-types";
import type { StreamKey } from "./sealing";
import { withTexts } from "./unsealing";

export const LANE = 0;

/** Separates joined texts: JSON.stringify escapes it, names are checked not to hold it. */
const SEPARATOR = "\u001e";

const APPEND = {
  name: "es_append",
  text: `select head_before, recorded_at, conflicts, duplicates
         from es.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)`,
  types: logTypes,
};

/** What `es.append` says about a batch; ordinals count from 1. */
export interface AppendResult {
  readonly head_before: Position;
  readonly recorded_at: string;
  /** Streams and guards, in the order sent, that were not at their expected version. */
  readonly conflicts: readonly number[];
  /** Units that hold a command which was answered before. */
  readonly duplicates: readonly number[];
}

/** Makes a repetition of the same batch harmless. */
export interface BatchNumber {
  readonly appender: string;
  readonly batch: number;
}

const integers = (values: readonly (number | string)[]): string => `{${values.join(",")}}`;

/** The one statement that appends a batch. Arrays go as text that is joined here and taken apart by the server. */
export function appendStatement(units: readonly PreparedUnit[], number?: BatchNumber): QueryConfig {
  const values = [
    LANE,
    number?.appender ?? null,
    number?.batch ?? null,
    integers(units.map((unit) => unit.events.length)),
    ...streamArrays(units),
    ...keyArrays(units),
    ...eventArrays(units),
    ...commandArrays(units),
  ];
  return { ...APPEND, values };
}

function streamArrays(units: readonly PreparedUnit[]): string[] {
  const unitOf: number[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const expected: number[] = [];
  const events: number[] = [];
  for (const [at, { unit }] of units.entries()) {
    for (const stream of unit.streams) {
      unitOf.push(at + 1);
      ids.push(stream.stream_id);
      types.push(stream.stream_type);
      expected.push(stream.expected_version);
      events.push(stream.events.length);
    }
    for (const guard of unit.guards ?? []) {
      unitOf.push(at + 1);
      ids.push(guard.stream_id);
      types.push("");
      expected.push(guard.expected_version);
      events.push(0);
    }
  }
  return [integers(unitOf), ids.join(SEPARATOR), types.join(SEPARATOR), integers(expected), integers(events)];
}

/** Parallel to the streams and guards; null where nothing is sealed, which is so of most events but orders. */
function keyArrays(units: readonly PreparedUnit[]): (string | null)[] {
  if (units.every(({ keys }) => keys === undefined)) return [null, null, null];
  const keys = units.flatMap(({ unit, keys: own = [] }) => [
    ...unit.streams.map((_, at) => own[at]),
    ...(unit.guards ?? []).map(() => undefined),
  ]);
  // An empty key stands for the one that the stream has.
  const bytes = (key: StreamKey): string => `"\\\\x${key.is_new ? key.key.toString("hex") : ""}"`;
  return [
    `{${keys.map((key) => (key === undefined ? "NULL" : bytes(key))).join(",")}}`,
    `{${keys.map((key) => key?.person_id ?? "NULL").join(",")}}`,
    `{${keys.map((key) => key?.phone_digest ?? "NULL").join(",")}}`,
  ];
}

function eventArrays(units: readonly PreparedUnit[]): string[] {
  const unitOf: number[] = [];
  const metas: string[] = [];
  const events = units.flatMap((unit, at) => {
    for (const event of unit.events) {
      unitOf.push(at + 1);
      metas.push(event.meta ?? unit.meta);
    }
    return unit.events;
  });
  return [
    integers(unitOf),
    integers(events.map((event) => event.partition)),
    integers(events.map((event) => event.version)),
    integers(events.map((event) => event.schema_v)),
    integers(events.map((event) => event.event_id)),
    events.map((event) => event.stream_id).join(SEPARATOR),
    events.map((event) => event.stream_type).join(SEPARATOR),
    events.map((event) => event.type).join(SEPARATOR),
    events.map((event) => event.data).join(SEPARATOR),
    metas.join(SEPARATOR),
  ];
}

function commandArrays(units: readonly PreparedUnit[]): string[] {
  const unitOf = units.flatMap(({ answers }, at) => answers.map(() => at + 1));
  const commands = units.flatMap(({ unit }) => unit.commands);
  return [
    integers(unitOf),
    integers(commands.map((command) => command.id)),
    commands.map((command) => command.fingerprint).join(SEPARATOR),
    units.flatMap(({ answers }) => answers).join(SEPARATOR),
  ];
}

/** Outcome of each unit; `duplicate` still without its answers, which have to be fetched. */
export function outcomesOf(units: readonly PreparedUnit[], result: AppendResult): AppendOutcome[] {
  const duplicates = new Set(result.duplicates);
  const conflicts =
    result.conflicts.length === 0 ? new Map<number, string>() : conflictingStreams(units, result.conflicts);
  let position = result.head_before;
  return units.map((prepared, at) => {
    if (duplicates.has(at + 1)) return { status: "duplicate", answers: [] };
    const stream_id = conflicts.get(at + 1);
    if (stream_id !== undefined) return { status: "conflict", stream_id };
    position += prepared.events.length;
    return { status: "committed", position };
  });
}

/** First conflicting stream of each unit. */
function conflictingStreams(
  units: readonly PreparedUnit[],
  ordinals: readonly number[],
): Map<number, string> {
  const checked = units.flatMap(({ unit }, at) =>
    [...unit.streams, ...(unit.guards ?? [])].map(({ stream_id }) => ({ unit: at + 1, stream_id })),
  );
  const found = new Map<number, string>();
  for (const ordinal of ordinals) {
    const stream = checked[ordinal - 1];
    if (stream !== undefined && !found.has(stream.unit)) found.set(stream.unit, stream.stream_id);
  }
  return found;
}

/** The newest event that a batch has written, where it has written any. */
export function newestMark(
  units: readonly PreparedUnit[],
  outcomes: readonly AppendOutcome[],
  { recorded_at }: AppendResult,
): LogMark | undefined {
  for (let at = units.length - 1; at >= 0; at -= 1) {
    const [outcome, event] = [outcomes[at], units[at]?.events.at(-1)];
    if (outcome?.status === "committed" && event !== undefined)
      return { position: outcome.position, event_id: event.event_id, recorded_at: rfc3339(recorded_at) };
  }
  return undefined;
}

/**
 * The events of a batch as a reader of the log would get them: parsed from what was written, so nobody shares them.
 * @param form `open`: with what is personal; `stored`: as they lie in the database.
 */
export function committedEvents(
  units: readonly PreparedUnit[],
  outcomes: readonly AppendOutcome[],
  result: AppendResult,
  form: EventForm,
): RecordedEvent[] {
  const recorded_at = rfc3339(result.recorded_at);
  let position = result.head_before;
  return units.flatMap((prepared, at) =>
    outcomes[at]?.status === "committed"
      ? prepared.events.map((event): RecordedEvent => {
          position += 1;
          const { texts, ...stored } = event;
          const data = JSON.parse(event.data) as object;
          return {
            ...stored,
            position,
            data: form === "open" ? withTexts(data, texts) : data,
            meta: JSON.parse(event.meta ?? prepared.meta) as object,
            recorded_at,
          };
        })
      : [],
  );
}
