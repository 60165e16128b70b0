import type { Client } from "pg";
import { PUBLICATIONS } from "../../entities/publications";
import { connectionOf } from "../../mixins/postgres/pool";
import { tablesOf } from "../../mixins/replica/published-schema";
import { hasRole, REPLICATION_ROLE } from "./publish";
import { dropTables, quote } from "./replica-tables";
import { connect } from "./servers";
import { takeTurn, withServers, type ReplicaSetup } from "./set-up-replica";
import { dropSlots, slotName, subscriptionsOf, syncSlots, unsubscribe } from "./subscribe";

/**
 * Takes a replica away: its subscriptions, their slots on the primary (an abandoned slot holds back WAL until the disk is
 * full) and the copied tables. Publications and role go with the last replica.
 * @throws ReplicaSetupError as {@link setUpReplica} does.
 */
export async function removeReplica(setup: ReplicaSetup): Promise<void> {
  const say = setup.say ?? (() => undefined);
  await withServers(setup, async (primary, replica) => {
    await takeTurn(primary);
    const subscriptions = [...(await subscriptionsOf(replica)).values()];
    for (const subscription of subscriptions) {
      await unsubscribe(replica, subscription);
      say(`Dropped the subscription ${subscription.name}.`);
    }
    await dropSlots(primary, [
      ...PUBLICATIONS.map((publication) => slotName(replica, publication)),
      ...(await syncSlots(primary, replica, subscriptions)),
    ]);
    say("Its slots on the primary are gone.");
    await dropTables(replica.client, [...new Set(PUBLICATIONS.flatMap(tablesOf))]);
    say("The copies on the replica are gone.");
    await unpublishAfterLast(primary.client, await hasRole(primary), say);
  });
}

/**
 * Frees the primary of a replica that will never come back: drops every slot of ours that nobody is connected to.
 * A second replica that is merely away just now loses its slots too, and needs a new setup.
 */
export async function forgetReplicas({ primary: url, say = () => undefined }: ReplicaSetup): Promise<void> {
  const client = await connect("DATABASE_URL", connectionOf(url));
  try {
    const { rows } = await client.query<{ slot: string }>(
      `select slot_name as slot from pg_replication_slots
       where database = current_database() and not active and slot_name ~ $1`,
      [OURS],
    );
    for (const { slot } of rows) {
      await client.query("select pg_drop_replication_slot($1)", [slot]);
      say(`Dropped the slot ${slot}.`);
    }
    const { rows: roles } = await client.query("select from pg_roles where rolname = $1", [REPLICATION_ROLE]);
    await unpublishAfterLast(client, roles.length > 0, say);
  } finally {
    await client.end();
  }
}

const OURS = `^(forno_[0-9a-f]{8}_(${PUBLICATIONS.map(({ part }) => part).join("|")})|pg_[0-9]+_sync_[0-9]+_[0-9]+)$`;

async function unpublishAfterLast(
  primary: Client,
  role: boolean,
  say: (line: string) => void,
): Promise<void> {
  const { rows } = await primary.query(
    "select from pg_replication_slots where database = current_database() and slot_name ~ $1",
    [OURS],
  );
  if (rows.length > 0) return;
  for (const { publication } of PUBLICATIONS)
    await primary.query(`drop publication if exists ${quote(publication)}`);
  if (role) {
    const tables = [...new Set(PUBLICATIONS.flatMap(tablesOf))].map((table) => `public.${quote(table)}`);
    await primary.query(
      `revoke all on ${tables.join(", ")} from ${REPLICATION_ROLE}; drop role ${REPLICATION_ROLE}`,
    );
  }
  say("It was the last replica: publications and role are gone too.");
}
