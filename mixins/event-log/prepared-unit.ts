import assert from "node:assert/strict";
import { eventIdOf, eventIdPrefix, partitionOf } from "./event-identity";
import type { AppendUnit, StreamAppend } from "./event-log";
import type { KeptKey } from "./data-keys";
import type { Sealing, SealedData, StreamKey } from "./sealing";
import type { EventAnswer } from "./stored-answers";

/** What the log takes from one caller at once; more is a defect of the caller. Far below PostgreSQL's own limits. */
export const UNIT_EVENTS_MAX = 10_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** U+001E separates texts on their way to the server, U+0000 does not exist in PostgreSQL. */
// eslint-disable-next-line no-control-regex -- that is what is looked for
const CONTROL = /[\u0000-\u001f]/;

export interface PreparedEvent {
  readonly stream_id: string;
  readonly stream_type: string;
  readonly partition: number;
  readonly version: number;
  readonly event_id: string;
  readonly type: string;
  readonly schema_v: number;
  /** JSON, as it is stored. */
  readonly data: string;
  /** JSON of the personal texts that are sealed in it. */
  readonly texts: string | undefined;
  /** JSON, where the event says itself who caused it. */
  readonly meta: string | undefined;
}

/** A unit checked and turned into JSON while its caller still stands at the counter: what is wrong fails that caller only. */
export interface PreparedUnit {
  readonly unit: AppendUnit;
  readonly events: readonly PreparedEvent[];
  /** Parallel to the unit's streams; undefined: nothing in it is sealed. */
  readonly keys: readonly (StreamKey | undefined)[] | undefined;
  /** JSON, for the events that have none of their own. */
  readonly meta: string;
  /** JSON, parallel to the unit's commands. */
  readonly answers: readonly string[];
  /** Bytes of JSON, roughly. */
  readonly size: number;
  /** The lineage's generation when this came in: it may rest on what the log of another one held. */
  readonly came_under: number;
}

/** How what is personal in a unit is sealed; with the keys of the streams that may have one. */
export interface UnitSealing {
  readonly sealing: Sealing;
  readonly keys: ReadonlyMap<string, KeptKey>;
}

/** @throws AssertionError when the unit contradicts itself or holds what JSON or PostgreSQL cannot. */
export function prepareUnit(unit: AppendUnit, sealing?: UnitSealing, came_under = 0): PreparedUnit {
  const written = new Set<string>();
  const events: PreparedEvent[] = [];
  const keys: (StreamKey | undefined)[] = [];
  let size = 0;
  for (const stream of unit.streams) {
    assert(!written.has(stream.stream_id), `A unit writes stream ${stream.stream_id} twice.`);
    assert(
      stream.events.length > 0,
      `A unit writes no events to stream ${stream.stream_id}: that is a guard.`,
    );
    written.add(stream.stream_id);
    checkStream(stream.stream_id, stream.expected_version);
    checkText(stream.stream_type);
    const sealed = sealing?.sealing.seal(stream, sealing.keys.get(stream.stream_id));
    keys.push(sealed?.key);
    size += prepareStream(stream, sealed?.events, events);
  }
  for (const guard of unit.guards ?? []) checkStream(guard.stream_id, guard.expected_version);
  assert(
    events.length <= UNIT_EVENTS_MAX,
    `A unit holds ${String(events.length)} events, at most ${String(UNIT_EVENTS_MAX)} fit.`,
  );
  const answers = prepareAnswers(unit);
  for (const answer of answers) size += answer.length;
  const sealedKeys = keys.some((key) => key !== undefined) ? keys : undefined;
  return { unit, events, keys: sealedKeys, meta: toJson(unit.meta), answers, size, came_under };
}

function prepareStream(
  { stream_id, stream_type, expected_version, events }: StreamAppend,
  sealed: readonly SealedData[] | undefined,
  into: PreparedEvent[],
): number {
  const partition = partitionOf(stream_id);
  const prefix = eventIdPrefix(stream_id);
  let version = expected_version;
  let size = 0;
  for (const [at, event] of events.entries()) {
    checkText(event.type);
    const { data: stored = event.data, texts } = sealed?.[at] ?? {};
    const data = toJson(stored);
    version += 1;
    size += data.length;
    into.push({
      stream_id,
      stream_type,
      partition,
      version,
      event_id: eventIdOf(prefix, version),
      type: event.type,
      schema_v: event.schema_v ?? 1,
      data,
      texts,
      meta: event.meta === undefined ? undefined : toJson(event.meta),
    });
  }
  return size;
}

/**
 * An answer is often the very object that an event carries (a placed order): then the event's name is kept, which is less to write
 * by half of an order, and keeps what is personal in one place.
 */
function prepareAnswers({ commands, streams }: AppendUnit): string[] {
  const written = new Map<unknown, EventAnswer>();
  for (const { stream_id, expected_version, events } of streams)
    for (const [at, { data }] of events.entries())
      written.set(data, { $event: { stream_id, version: expected_version + at + 1 } });
  const ids = new Set(commands.map((command) => command.id));
  assert(ids.size === commands.length, "A unit answers the same command twice.");
  return commands.map(({ id, fingerprint, answer }) => {
    assert(UUID.test(id), `Command id ${id} is not a UUID.`);
    assert(!CONTROL.test(fingerprint), "A command's fingerprint holds control characters.");
    return toJson(written.get(answer) ?? answer ?? null);
  });
}

function checkStream(stream_id: string, expected_version: number): void {
  checkText(stream_id);
  assert(
    Number.isSafeInteger(expected_version) && expected_version >= 0,
    `Version ${String(expected_version)} of ${stream_id}.`,
  );
}

function checkText(text: string): void {
  assert(
    text !== "" && !CONTROL.test(text),
    `${JSON.stringify(text)} is no name: it is empty or holds control characters.`,
  );
}

function toJson(value: unknown): string {
  return JSON.stringify(value);
}
