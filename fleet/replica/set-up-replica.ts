import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { PUBLICATIONS } from "../../entities/publications";
import { connectionOf } from "../../mixins/postgres/pool";
import { publishedTables, strayTables } from "../../mixins/replica/published-schema";
import { ensurePublications, ensureRole, hasRole, publish, REPLICATION_ROLE, unpublish } from "./publish";
import { makeTable } from "./replica-tables";
import { checkServers, connect, ReplicaSetupError, type Server } from "./servers";
import { replicaStatus, type PublicationStatus } from "./status";
import {
  dropSlots,
  reconnect,
  refresh,
  slotIsUsable,
  subscribe,
  subscriptionsOf,
  syncSlots,
  unsubscribe,
  type PrimaryAddress,
} from "./subscribe";

const COPY_TIMEOUT_MS = 60_000;
const COPY_LOOK_MS = 100;
const PASSWORD_BYTES = 24;

/** Which two servers, and how the second one finds the first. */
export interface ReplicaSetup {
  /** DATABASE_URL; its user makes the role and the publications and owns the published tables. */
  readonly primary: string;
  /** DATABASE_REPLICA_URL; its user may create subscriptions (a superuser, or pg_create_subscription from 16 on). */
  readonly replica: string;
  /** Where the replica finds the primary, `host` or `host:port`, when not where we do. */
  readonly replication_host?: string | undefined;
  /** Of the replication role; generated, and said once, where there is no role yet. */
  readonly replication_password?: string | undefined;
  /** How long to wait for the first copies; they go on by themselves afterwards. */
  readonly copy_timeout_ms?: number;
  /** Hears what is done, a line each. */
  readonly say?: (line: string) => void;
}

/**
 * Brings a replica to where it should be, whatever was there before: role and publications on the primary, tables and
 * subscriptions on the replica. Run again it changes nothing; after a migration it takes up what changed.
 * @returns the state at the end.
 * @throws ReplicaSetupError with one line that says what to do.
 */
export async function setUpReplica(setup: ReplicaSetup): Promise<PublicationStatus[]> {
  return withServers(setup, async (primary, replica) => {
    const say = setup.say ?? (() => undefined);
    await takeTurn(primary);
    const address = await role(primary, replica, setup, say);
    const made = await ensurePublications(primary);
    if (made.length > 0) say(`Made the publications ${made.join(", ")}.`);
    await dropBroken(primary, replica, say);
    await matchTables(primary, replica, say);
    await subscribeAll(primary, replica, address, say);
    return copied(primary, replica, setup.copy_timeout_ms ?? COPY_TIMEOUT_MS);
  });
}

/** Connects, checks both, works, closes. */
export async function withServers<T>(
  setup: ReplicaSetup,
  work: (primary: Server, replica: Server) => Promise<T>,
): Promise<T> {
  const [here, there] = [connectionOf(setup.primary), connectionOf(setup.replica)];
  const primary = await connect("DATABASE_URL", here);
  try {
    const replica = await connect("DATABASE_REPLICA_URL", there);
    try {
      const servers = await checkServers(
        { client: primary, connection: here },
        { client: replica, connection: there },
      );
      return await work(servers.primary, servers.replica);
    } finally {
      await replica.end();
    }
  } finally {
    await primary.end();
  }
}

/** Keeps others away until the connection is closed. */
export async function takeTurn({ client }: Server): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>(LOCK);
  if (rows[0]?.locked !== true)
    throw new ReplicaSetupError("Another npm run replica:setup is at work on this primary.");
}

const LOCK = "select pg_try_advisory_lock(hashtextextended('replica:setup', 0)) as locked";

/** The role, and with which password subscriptions that are made now connect; undefined: none has to be made. */
async function role(
  primary: Server,
  replica: Server,
  { replication_password, replication_host }: ReplicaSetup,
  say: (line: string) => void,
): Promise<PrimaryAddress | undefined> {
  const subscriptions = await subscriptionsOf(replica);
  const known = await hasRole(primary);
  const complete = PUBLICATIONS.every(({ subscription }) => subscriptions.has(subscription));
  if (replication_password === undefined && known && complete) return undefined;
  if (replication_password === undefined && known)
    throw new ReplicaSetupError(
      `The role ${REPLICATION_ROLE} exists already: give its password in REPLICATION_PASSWORD (another one there replaces it).`,
    );
  const password = replication_password ?? randomBytes(PASSWORD_BYTES).toString("base64url");
  await ensureRole(primary, password);
  // Said at once: whatever fails after this, the password is known.
  if (replication_password === undefined)
    say(`Made the role ${REPLICATION_ROLE} with the password ${password} (shown this once).`);
  else say(`The role ${REPLICATION_ROLE} has the password of REPLICATION_PASSWORD.`);
  const address = { ...addressOf(primary, replication_host), password };
  for (const subscription of subscriptions.values()) await reconnect(primary, replica, subscription, address);
  return address;
}

function addressOf({ connection }: Server, given: string | undefined): { host: string; port: number } {
  const own = { host: connection.host ?? "localhost", port: connection.port ?? 5432 };
  if (given === undefined || given === "") return own;
  // An IPv6 address with a port is written in brackets.
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(given) ?? [];
  return { host: bracketed ?? plain ?? given, port: port === undefined ? own.port : Number(port) };
}

/** A subscription whose slot is gone, or was left behind, gets nothing any more: it begins anew. */
async function dropBroken(primary: Server, replica: Server, say: (line: string) => void): Promise<void> {
  for (const subscription of (await subscriptionsOf(replica)).values()) {
    if (await slotIsUsable(primary, subscription)) continue;
    await unsubscribe(replica, subscription);
    await dropSlots(primary, await syncSlots(primary, replica, [subscription]));
    say(`${subscription.name} had lost its slot on the primary: it is made anew.`);
  }
}

/**
 * Tables that are missing, or are not what they should be, are taken out of their publication, made anew on the replica and
 * put back: then they are copied again whole, because a column that is merely added would stay empty in the rows there are.
 */
async function matchTables(primary: Server, replica: Server, say: (line: string) => void): Promise<void> {
  const states = await publishedTables(primary.client, replica.client);
  const names = new Set(states.filter(({ differences }) => differences.length > 0).map(({ table }) => table));
  const stale = states.filter(({ table }) => names.has(table));
  // At a first setup everything is missing; what there is to say is what a table that travels already lacks.
  const travelling = stale.filter(({ published }) => published);
  for (const difference of new Set(travelling.flatMap(({ differences }) => differences))) say(difference);
  const strays = await strayTables(primary.client);
  for (const { publication, table } of strays) await unpublish(primary, publication, table);
  for (const { published, publication, table } of stale)
    if (published) await unpublish(primary, publication.publication, table);
  if (stale.length + strays.length > 0) await refreshAll(replica);
  for (const table of names) {
    const state = stale.find((each) => each.table === table);
    if (state !== undefined) await makeTable(primary.client, replica.client, table, state.wanted);
    say(`Made the table ${table} on the replica.`);
  }
  for (const state of stale) await publish(primary, state);
}

async function refreshAll(replica: Server): Promise<void> {
  const subscriptions = await subscriptionsOf(replica);
  for (const publication of PUBLICATIONS) {
    const subscription = subscriptions.get(publication.subscription);
    if (subscription !== undefined) await refresh(replica, publication, subscription);
  }
}

async function subscribeAll(
  primary: Server,
  replica: Server,
  address: PrimaryAddress | undefined,
  say: (line: string) => void,
): Promise<void> {
  for (const publication of PUBLICATIONS) {
    const subscription = (await subscriptionsOf(replica)).get(publication.subscription);
    if (subscription !== undefined) {
      await refresh(replica, publication, subscription);
      continue;
    }
    if (address === undefined)
      throw new ReplicaSetupError(
        `${publication.subscription} has to be made anew: give the password of ${REPLICATION_ROLE} in REPLICATION_PASSWORD.`,
      );
    await subscribe(primary, replica, publication, address);
    say(`Subscribed ${publication.subscription} to ${publication.publication}.`);
  }
}

/** Waits until everything is copied, at most so long. */
async function copied(primary: Server, replica: Server, timeout_ms: number): Promise<PublicationStatus[]> {
  const deadline = performance.now() + timeout_ms;
  for (;;) {
    const status = await replicaStatus(primary, replica);
    if (status.every(({ waiting_for }) => waiting_for.length === 0) || performance.now() > deadline)
      return status;
    await pause(COPY_LOOK_MS);
  }
}
