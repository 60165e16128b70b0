import type { Pool } from "pg";
import { mayWorkAt, notYours } from "../../mixins/contract/branch-access";
import type { Caller } from "../../mixins/contract/caller";
import type { ParamsOf, ResultOf } from "../../mixins/contract/contract";
import { isRefusal, type Refusal } from "../../mixins/contract/refusal";
import { keyOf, pageFrom } from "../../mixins/crud/page";
import type { listCameraEvents } from "./camera-events.contract";
import type { CameraEvent } from "./camera.events";

const DAY_MS = 86_400_000;

type Row = Omit<CameraEvent, "timestamp"> & { readonly occurred_at: Date; readonly received_at: Date };

/** The bounds of the time come first: they spare all partitions but theirs. */
const PAGE = `
  select event_id, event_type, camera_id, mac_address, model, branch_id, complex_id, occurred_at, received_at, data
  from camera_events
  where received_at >= $1 and ($2::timestamptz is null or received_at < $2)
    and ($3::uuid is null or event_id < $3)
    and ($4::uuid is null or camera_id = $4)
    and ($5::uuid[] is null or branch_id = any ($5))
    and ($6::text is null or complex_id = $6)
    and ($7::text is null or event_type = $7)
  order by event_id desc limit $8`;

/** Newest first. Refusals: `branch.not_yours`, `input.cursor_malformed`. */
export async function pageOfEvents(
  pool: Pool,
  {
    camera_id,
    branch_id,
    complex_id,
    event_type,
    from,
    to,
    cursor,
    limit = 50,
  }: ParamsOf<typeof listCameraEvents>,
  caller: Caller,
  now_ms: number,
): Promise<ResultOf<typeof listCameraEvents> | Refusal> {
  const before = keyOf(cursor, "id");
  if (isRefusal(before)) return before;
  if (branch_id !== undefined && !mayWorkAt(caller, branch_id)) return notYours();
  const { rows } = await pool.query<Row>(PAGE, [
    from ?? new Date(now_ms - DAY_MS).toISOString(),
    to ?? null,
    before,
    camera_id ?? null,
    branch_id === undefined ? caller.branch_ids : [branch_id],
    complex_id ?? null,
    event_type ?? null,
    limit + 1,
  ]);
  const { items, next_cursor } = pageFrom(rows, limit, ({ event_id }) => event_id);
  return {
    items: items.map(({ occurred_at, received_at, data, ...row }) => ({
      ...row,
      timestamp: occurred_at.toISOString(),
      received_at: received_at.toISOString(),
      data: { ...data },
    })),
    next_cursor,
  };
}
