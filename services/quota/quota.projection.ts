import type { PoolClient } from "pg";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Projection } from "../../mixins/projection/projection";
import type { QuotaEvent, QuotaTaken } from "./quota.events";

/** What is taken of limited offers. */
export const holdProjection: Projection = {
  name: "quota-holds",
  tables: ["quota_holds"],
  handles: ["quota.taken", "quota.confirmed", "quota.returned"] satisfies QuotaEvent["type"][],
  rows_of_one_stream: true,
  apply,
};

/** What a batch makes of the holds; what was taken and given back within it leaves no trace. */
export function foldHolds(events: readonly RecordedEvent[]) {
  const taken = new Map<string, QuotaTaken["data"]>();
  const confirmed = new Map<string, string>();
  const returned = new Set<string>();
  for (const { type, data } of events) {
    const event = { type, data } as QuotaEvent;
    const { hold_id } = event.data;
    switch (event.type) {
      case "quota.taken":
        taken.set(hold_id, event.data);
        break;
      case "quota.confirmed":
        confirmed.set(hold_id, event.data.order_id);
        break;
      case "quota.returned":
        confirmed.delete(hold_id);
        if (!taken.delete(hold_id)) returned.add(hold_id);
        break;
    }
  }
  return { taken, confirmed, returned };
}

async function apply(events: readonly RecordedEvent[], tx: PoolClient): Promise<void> {
  const { taken, confirmed, returned } = foldHolds(events);
  if (taken.size > 0) await tx.query(INSERT, [JSON.stringify([...taken.values()].map(rowOf))]);
  if (confirmed.size > 0) await tx.query(CONFIRM, [[...confirmed.keys()], [...confirmed.values()]]);
  if (returned.size > 0) await tx.query(DELETE, [[...returned]]);
}

const rowOf = ({ placing, at, ...hold }: QuotaTaken["data"]) => ({
  ...{ ...hold, command_id: placing.id, fingerprint: placing.fingerprint, taken_at: at },
});

const INSERT = `
  insert into quota_holds (hold_id, quota_id, units, user_id, command_id, fingerprint, taken_at)
  select hold_id, quota_id, units, user_id, command_id, fingerprint, taken_at
  from jsonb_to_recordset($1::jsonb) as hold (hold_id uuid, quota_id uuid, units integer, user_id uuid, command_id uuid,
    fingerprint text, taken_at timestamptz)
  on conflict do nothing`;
const CONFIRM = `
  update quota_holds set order_id = known.order_id
  from unnest($1::uuid[], $2::uuid[]) as known (hold_id, order_id) where quota_holds.hold_id = known.hold_id`;
const DELETE = "delete from quota_holds where hold_id = any ($1::uuid[])";
