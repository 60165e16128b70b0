/** What a slot's name says: `<branch_id>_<start as YYYYMMDDTHHMMZ>`. */
export interface SlotName {
  readonly branch_id: string;
  readonly start_ms: number;
}

/** The years 2000 to 2199: far enough, and near enough for every calendar computation. */
const SHAPE =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})_(2[01]\d\d)(\d\d)(\d\d)T(\d\d)(\d\d)Z$/;

/** Names the slot of a branch that starts at an instant (milliseconds since the epoch, on a full minute). */
export function slotIdOf(branch_id: string, start_ms: number): string {
  const [day = "", time = ""] = new Date(start_ms).toISOString().split("T");
  return `${branch_id}_${day.replaceAll("-", "")}T${time.slice(0, 2)}${time.slice(3, 5)}Z`;
}

/** Reads a slot's name; undefined for anything that {@link slotIdOf} would not have written. */
export function parseSlotId(slot_id: string): SlotName | undefined {
  const [, branch_id = "", year = "", month = "", day = "", hour = "", minute = ""] =
    SHAPE.exec(slot_id) ?? [];
  const start_ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`);
  if (Number.isNaN(start_ms)) return undefined;
  // Date.parse rolls 30 February over into March: only a name that reads back the same is a name.
  return slotIdOf(branch_id, start_ms) === slot_id ? { branch_id, start_ms } : undefined;
}
