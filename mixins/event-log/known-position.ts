import { RefusedError, refuse } from "../contract/refusal";
import type { EventLog, Position } from "./event-log";

/**
 * Refuses a position that the log has not reached: no answer can have given it out, and who waited for it would wait in
 * vain. Ask only where waiting is needed, for it costs a query.
 * @throws RefusedError `input.position_unknown`
 */
export async function assertKnownPosition(log: Pick<EventLog, "head">, position: Position): Promise<void> {
  if (position > (await log.head()))
    throw new RefusedError(
      refuse("invalid", "input.position_unknown", "Nothing has this position yet: take it from an answer."),
    );
}
