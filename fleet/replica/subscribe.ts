import { setTimeout as pause } from "node:timers/promises";
import type { ClientConfig } from "pg";
import { PUBLICATIONS, type Publication } from "../../entities/publications";
import { tablesOf } from "../../mixins/replica/published-schema";
import { REPLICATION_ROLE } from "./publish";
import { emptyTable, quote } from "./replica-tables";
import { ReplicaSetupError, type Server } from "./servers";

const SLOT_TRIES = 50;
const SLOT_PAUSE_MS = 100;

/** Where the replica finds the primary, and the password that it shows there. */
export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

export interface Subscription {
  readonly oid: number;
  readonly name: string;
  readonly slot: string | null;
  readonly enabled: boolean;
  /** Tables that it knows, with how far their copy is; `r` is ready. */
  readonly tables: Readonly<Record<string, string>>;
}

const SUBSCRIPTIONS = `
  select s.oid::bigint as oid, s.subname as name, s.subslotname as slot, s.subenabled as enabled, coalesce((
      select jsonb_object_agg(c.relname, r.srsubstate) from pg_subscription_rel r join pg_class c on c.oid = r.srrelid
      where r.srsubid = s.oid), '{}') as tables
  from pg_subscription s
  where s.subdbid = (select oid from pg_database where datname = current_database()) and s.subname = any ($1)`;

/** Those of ours that are on the replica, by name. */
export async function subscriptionsOf({ client }: Server): Promise<Map<string, Subscription>> {
  const names = PUBLICATIONS.map(({ subscription }) => subscription);
  const { rows } = await client.query<Subscription>(SUBSCRIPTIONS, [names]);
  return new Map(rows.map((row) => [row.name, row]));
}

/** Names a slot after the replica too: several replicas of one primary do not meet. */
export const slotName = (replica: Server, { part }: Publication): string => `forno_${replica.id}_${part}`;

/** Whether a subscription can go on: its slot is there and still holds what it has not read. */
export async function slotIsUsable({ client }: Server, { slot }: Subscription): Promise<boolean> {
  const { rows } = await client.query<{ usable: boolean }>(
    "select coalesce(wal_status, 'reserved') <> 'lost' as usable from pg_replication_slots where slot_name = $1",
    [slot],
  );
  return rows[0]?.usable === true;
}

/** Makes a subscription and has its tables, emptied, copied. */
export async function subscribe(
  primary: Server,
  replica: Server,
  publication: Publication,
  address: PrimaryAddress,
): Promise<void> {
  const slot = slotName(replica, publication);
  await dropSlots(primary, [slot]);
  for (const table of tablesOf(publication)) await emptyTable(replica.client, table, publication.publication);
  const connection = replica.client.escapeLiteral(connectionText(primary.connection, address));
  try {
    await replica.client.query(
      `create subscription ${quote(publication.subscription)} connection ${connection}
       publication ${quote(publication.publication)} with (slot_name = ${quote(slot)}, copy_data = true)`,
    );
  } catch (cause) {
    throw new ReplicaSetupError(
      `The replica could not subscribe at ${address.host}:${String(address.port)} as ${REPLICATION_ROLE}: ${String(cause)}. ` +
        "REPLICATION_HOST says where the replica finds the primary; the primary's pg_hba.conf must let the role in.",
      { cause },
    );
  }
}

/** Lets a subscription take up tables that its publication has got since, emptied and copied, and forget those it lost. */
export async function refresh(
  replica: Server,
  publication: Publication,
  { name, enabled, tables }: Subscription,
): Promise<void> {
  const { client } = replica;
  if (!enabled) await client.query(`alter subscription ${quote(name)} enable`);
  for (const table of tablesOf(publication))
    if (!(table in tables)) await emptyTable(client, table, publication.publication);
  await client.query(`alter subscription ${quote(name)} refresh publication with (copy_data = true)`);
}

/** Gives a subscription another address or password. */
export async function reconnect(
  primary: Server,
  { client }: Server,
  { name }: Subscription,
  address: PrimaryAddress,
): Promise<void> {
  const connection = client.escapeLiteral(connectionText(primary.connection, address));
  await client.query(`alter subscription ${quote(name)} connection ${connection}`);
}

/** Drops subscriptions of the replica without asking the primary, whose slots {@link dropSlots} drops. */
export async function unsubscribe({ client }: Server, { name, enabled }: Subscription): Promise<void> {
  if (enabled) await client.query(`alter subscription ${quote(name)} disable`);
  await client.query(`alter subscription ${quote(name)} set (slot_name = none)`);
  await client.query(`drop subscription ${quote(name)}`);
}

const SYNC_SLOTS = `
  select slot_name as slot from pg_replication_slots where database = current_database()
    and slot_name ~ ('^pg_(' || array_to_string($1::text[], '|') || ')_sync_[0-9]+_' || $2 || '$')`;

/** Slots that copies under way of these subscriptions have left on the primary. */
export async function syncSlots(
  primary: Server,
  replica: Pick<Server, "system_identifier">,
  subscriptions: readonly Subscription[],
): Promise<string[]> {
  if (subscriptions.length === 0) return [];
  const oids = subscriptions.map(({ oid }) => String(oid));
  const { rows } = await primary.client.query<{ slot: string }>(SYNC_SLOTS, [
    oids,
    replica.system_identifier,
  ]);
  return rows.map(({ slot }) => slot);
}

/** Drops slots of the primary that are there; one in use is waited for a moment, until its subscriber has let go. */
export async function dropSlots({ client }: Server, slots: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { rows } = await client.query<{ slot: string; active: boolean }>(
      "select slot_name as slot, active from pg_replication_slots where slot_name = any ($1)",
      [slots],
    );
    if (rows.length === 0) return;
    if (tries > SLOT_TRIES)
      throw new ReplicaSetupError(
        `The slot ${rows.map(({ slot }) => slot).join(", ")} on the primary is in use and was not dropped.`,
      );
    // One that is taken again, or gone, in between fails; the next round looks.
    for (const { slot, active } of rows)
      if (!active) await client.query("select pg_drop_replication_slot($1)", [slot]).catch(() => undefined);
    await pause(SLOT_PAUSE_MS);
  }
}

/** A libpq connection string; what the primary's own URL says of TLS holds for the replica too. */
function connectionText({ database, ssl }: ClientConfig, { host, port, password }: PrimaryAddress): string {
  const parts: Readonly<Record<string, string>> = {
    host,
    port: String(port),
    dbname: database ?? "postgres",
    user: REPLICATION_ROLE,
    password,
    ...(ssl === undefined || ssl === false ? {} : { sslmode: "require" }),
    // A primary that is gone without a word is noticed within half a minute.
    keepalives_idle: "10",
    keepalives_interval: "5",
    keepalives_count: "3",
  };
  return Object.entries(parts)
    .map(([name, value]) => `${name}='${value.replaceAll(/[\\']/g, "\\$&")}'`)
    .join(" ");
}
