import type { Pool } from "pg";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import { createEventLog } from "../../mixins/event-log/postgres-event-log";
import { connectionOf } from "../../mixins/postgres/pool";
import type { LogEvent } from "../model/events";

const READ_EVENTS = 2_000;

/** Straight from the table, so that no reader of the product can leave anything out. */
const EVENTS = `
  select pos as position, partition, stream_id, stream_type, version, event_id, type, schema_v, data, meta,
    to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as recorded_at
  from es.event where pos > $1 order by pos limit ${String(READ_EVENTS)}`;

/** The whole log, with the texts about people, which lie there sealed, put back. @param pool at UTC. */
export async function rawEvents(database_url: string, pool: Pool): Promise<LogEvent[]> {
  const log = await createEventLog({ connection: connectionOf(database_url) });
  try {
    const events: LogEvent[] = [];
    for (let after = 0; ;) {
      const { rows } = await pool.query<RecordedEvent & { position: string }>(EVENTS, [after]);
      const last = rows.at(-1);
      if (last === undefined) return events;
      after = Number(last.position);
      events.push(...(await log.opened(rows.map((row) => ({ ...row, position: Number(row.position) })))));
    }
  } finally {
    await log.close();
  }
}
