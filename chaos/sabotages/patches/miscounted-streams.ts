import { PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { replaceMethod } from "../replace";

/** Streams of one event, to which nobody comes back. */
const ENDED_CACHES = "cache-";

replaceMethod(
  PostgresEventLog.prototype,
  "appendIn",
  (original) =>
    async function appendIn(this: PostgresEventLog, client, unit) {
      const outcome = await original.call(this, client, unit);
      for (const { stream_id } of unit.streams)
        if (stream_id.startsWith(ENDED_CACHES))
          await client.query("update es.stream set version = version + 1 where stream_id = $1", [stream_id]);
      return outcome;
    },
);
