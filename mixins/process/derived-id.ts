import { hash } from "node:crypto";

/**
 * Id of a command that follows from an event: a UUID (version 8) derived from event, process and place among the event's
 * commands. The same event always leads to the same ids, so a replay only gets the first answers again.
 */
export function derivedCommandId(event_id: string, process: string, index: number): string {
  const hex = hash("sha256", `forno command ${event_id} ${process} ${String(index)}`, "hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
