import { PUBLICATIONS, type PublishedPart } from "../../entities/publications";
import { publishedTables, tablesOf } from "../../mixins/replica/published-schema";
import type { Server } from "./servers";
import { slotName, subscriptionsOf } from "./subscribe";

/** How one publication gets to the replica. */
export interface PublicationStatus {
  readonly part: PublishedPart;
  readonly publication: string;
  /** Undefined: the replica has none. */
  readonly subscription: "enabled" | "disabled" | undefined;
  /** Tables whose first copy is not done. */
  readonly waiting_for: readonly string[];
  /** Of its slot on the primary; undefined: there is none. */
  readonly slot: { readonly active: boolean; readonly retained_bytes: number } | undefined;
  /** Age of the newest heartbeat that came over, by the primary's clock; undefined: none did yet. */
  readonly lag_ms: number | undefined;
  /** What the replica, or the publication, has other than it should. */
  readonly differences: readonly string[];
}

const SLOTS = `
  select slot_name as slot, active, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint as retained_bytes
  from pg_replication_slots where slot_name = any ($1)`;

const BEATS = "select publication, beaten_at from replica_heartbeats";

/** How everything stands. */
export async function replicaStatus(primary: Server, replica: Server): Promise<PublicationStatus[]> {
  const tables = await publishedTables(primary.client, replica.client);
  const subscriptions = await subscriptionsOf(replica);
  const names = PUBLICATIONS.map((publication) => slotName(replica, publication));
  const slots = await primary.client.query<{ slot: string; active: boolean; retained_bytes: number }>(SLOTS, [
    names,
  ]);
  const lags = await lagsOf(primary, replica);
  return PUBLICATIONS.map((publication) => {
    const subscription = subscriptions.get(publication.subscription);
    const slot = slots.rows.find((each) => each.slot === slotName(replica, publication));
    return {
      part: publication.part,
      publication: publication.publication,
      subscription: subscription && (subscription.enabled ? "enabled" : "disabled"),
      waiting_for: tablesOf(publication).filter((table) => subscription?.tables[table] !== "r"),
      slot: slot && { active: slot.active, retained_bytes: slot.retained_bytes },
      lag_ms: lags.get(publication.publication),
      differences: tables
        .filter((state) => state.publication === publication)
        .flatMap(({ differences }) => differences),
    };
  });
}

async function lagsOf(primary: Server, replica: Server): Promise<Map<string, number>> {
  const there = await replica.client.query<{ there: boolean }>(
    "select to_regclass('public.replica_heartbeats') is not null as there",
  );
  if (there.rows[0]?.there !== true) return new Map();
  const beats = await replica.client.query<{ publication: string; beaten_at: Date }>(BEATS);
  const clock = await primary.client.query<{ now: Date }>("select clock_timestamp() as now");
  const now_ms = clock.rows[0]?.now.getTime() ?? 0;
  return new Map(
    beats.rows.map(({ publication, beaten_at }) => [publication, Math.max(0, now_ms - beaten_at.getTime())]),
  );
}
