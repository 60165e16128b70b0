import { HEARTBEATS, PUBLICATIONS } from "../../entities/publications";
import type { PublishedTableState } from "../../mixins/replica/published-schema";
import { quote } from "./replica-tables";
import type { Server } from "./servers";

/** Who subscriptions connect as. */
export const REPLICATION_ROLE = "forno_replication";

export async function hasRole({ client }: Server): Promise<boolean> {
  const { rows } = await client.query("select from pg_roles where rolname = $1", [REPLICATION_ROLE]);
  return rows.length > 0;
}

/** Makes the role, or gives it another password. */
export async function ensureRole(primary: Server, password: string): Promise<void> {
  const verb = (await hasRole(primary)) ? "alter" : "create";
  await primary.client.query(
    `${verb} role ${REPLICATION_ROLE} with login replication password ${primary.client.escapeLiteral(password)}`,
  );
}

/** Makes the publications that are missing, still without tables; their names. */
export async function ensurePublications({ client }: Server): Promise<string[]> {
  const { rows } = await client.query<{ pubname: string }>("select pubname from pg_publication");
  const made: string[] = [];
  for (const { publication } of PUBLICATIONS) {
    if (rows.some(({ pubname }) => pubname === publication)) continue;
    await client.query(`create publication ${quote(publication)}`);
    made.push(publication);
  }
  return made;
}

export async function unpublish({ client }: Server, publication: string, table: string): Promise<void> {
  await client.query(`alter publication ${quote(publication)} drop table public.${quote(table)}`);
}

/** Puts a table into its publication and lets the role copy it: by its columns where they are listed, else whole. */
export async function publish(
  { client }: Server,
  { publication, table, wanted, listed }: PublishedTableState,
): Promise<void> {
  const columns = listed ? ` (${wanted.map(({ name }) => quote(name)).join(", ")})` : "";
  const own =
    table === HEARTBEATS ? ` where (publication = ${client.escapeLiteral(publication.publication)})` : "";
  await client.query(
    `begin;
     alter publication ${quote(publication.publication)} add table public.${quote(table)}${columns}${own};
     grant select${columns} on public.${quote(table)} to ${REPLICATION_ROLE};
     commit`,
  );
}
