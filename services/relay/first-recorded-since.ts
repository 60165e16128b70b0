import { UnavailableError } from "../../mixins/contract/refusal";
import type { EventLog, Position } from "../../mixins/event-log/event-log";

/**
 * Position of the first event recorded at or after a time; one beyond the head when there is none. Looked for by halving, about
 * thirty reads of one event. What is archived where this node cannot read it counts as older.
 */
export async function firstRecordedSince(
  log: Pick<EventLog, "head" | "readAll">,
  since: Date,
): Promise<Position> {
  let [first, beyond] = [1, (await log.head()) + 1];
  while (first < beyond) {
    const middle = Math.floor((first + beyond) / 2);
    if (await isRecordedSince(log, middle, since)) beyond = middle;
    else first = middle + 1;
  }
  return first;
}

async function isRecordedSince(
  log: Pick<EventLog, "readAll">,
  position: Position,
  since: Date,
): Promise<boolean> {
  try {
    const [event] = await log.readAll(position - 1, 1);
    return event !== undefined && Date.parse(event.recorded_at) >= since.getTime();
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    return false;
  }
}
