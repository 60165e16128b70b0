import type { EventLog, Position } from "./event-log";

/** The last position that was recorded before a moment: in steps back from the head that double, then by halves. */
export async function positionAsOf(
  log: Pick<EventLog, "readAll">,
  moment_ms: number,
  head: Position,
): Promise<Position> {
  const isBefore = async (position: Position): Promise<boolean> => {
    const [event] = await log.readAll(position - 1, 1);
    return event !== undefined && Date.parse(event.recorded_at) < moment_ms;
  };
  let after = head + 1;
  let before = head;
  for (let step = 1; before > 0 && !(await isBefore(before)); step *= 2) {
    after = before;
    before = Math.max(0, before - step);
  }
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (await isBefore(middle)) before = middle;
    else after = middle;
  }
  return before;
}
