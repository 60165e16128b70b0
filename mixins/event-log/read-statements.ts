import type { RecordedEvent } from "./event-log";
import { LANE } from "./append-statement";
import { logTypes, rfc3339 } from "./row-types";

/** A row of es.event as it comes over the wire. */
export type EventRow = Omit<RecordedEvent, "recorded_at"> & { readonly recorded_at: string };

const COLUMNS = `e.pos as position, e.partition, e.stream_id, e.stream_type, e.version, e.event_id, e.type, e.schema_v,
  e.data, e.meta, e.recorded_at`;

/** $1 position, $2 limit. The log has no gaps, so a limit is a range: only the partitions in it are opened. */
export const ALL_AFTER = {
  name: "es_all_after",
  text: `select ${COLUMNS} from es.event e
         where e.lane = ${String(LANE)} and e.pos > $1 and e.pos <= $1::bigint + $2 order by e.pos`,
  types: logTypes,
};

/** The same with the event at the position itself, where it is there: who reads on finds whether it is still the log that was read. */
export const ALL_FROM = {
  name: "es_all_from",
  text: `select ${COLUMNS} from es.event e
         where e.lane = ${String(LANE)} and e.pos >= $1 and e.pos <= $1::bigint + $2 order by e.pos`,
  types: logTypes,
};

/** $1 stream, $2 version. The positions of the stream's row keep the look-up to the partitions that hold it. */
export const STREAM_AFTER = {
  name: "es_stream_after",
  text: `select ${COLUMNS} from es.stream s
         join es.event e on e.stream_id = s.stream_id and e.lane = s.lane and e.pos between s.first_pos and s.last_pos
         where s.stream_id = $1 and e.version > $2 order by e.pos`,
  types: logTypes,
};

/** $1 command ids. */
export const ANSWERS = {
  name: "es_answers",
  text: `select cmd_id as id, fingerprint, answer, pos as position from es.command where cmd_id = any ($1::uuid[])`,
  types: logTypes,
};

export const HEAD = {
  name: "es_head",
  text: `select head from es.lane where lane = ${String(LANE)}`,
  types: logTypes,
};

/** $1 stream, $2 shape. */
export const LOAD_SNAPSHOT = {
  name: "es_load_snapshot",
  text: `select stream_id, version, schema_v, state from es.snapshot where stream_id = $1 and schema_v = $2`,
  types: logTypes,
};

/** $1 stream, $2 version, $3 shape, $4 state. A newer shape wins, then a newer version: nodes may save in any order. */
export const SAVE_SNAPSHOT = {
  name: "es_save_snapshot",
  text: `insert into es.snapshot as s (stream_id, version, schema_v, state) values ($1, $2, $3, $4)
         on conflict (stream_id) do update
         set version = excluded.version, schema_v = excluded.schema_v, state = excluded.state, saved_at = now()
         where (excluded.schema_v, excluded.version) > (s.schema_v, s.version)`,
};

/** Processes that ended long ago: nobody asks any more what their newest batch came to. */
export const FORGET_APPENDERS = {
  name: "es_forget_appenders",
  text: "delete from es.appender where recorded_at < now() - interval '7 days'",
};

export function recordedEvent(row: EventRow): RecordedEvent {
  return { ...row, recorded_at: rfc3339(row.recorded_at) };
}
