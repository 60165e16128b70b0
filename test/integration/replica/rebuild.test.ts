import { LogFeed } from "../../../mixins/event-feed/log-feed";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import type { ProjectionHost } from "../../../mixins/projection/projection";
import { startProjection } from "../../../mixins/projection/start-projection";
import { createActorHost } from "../../../mixins/actor/create-actor-host";
import { eventually } from "../../support/eventually";
import { purseKind, move, type PurseHost } from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";
import { startTestReplica, type TestReplica } from "../../support/replica";
import { TABLES, purseProjection, rowsFrom, rowsOf } from "../projection/purse-projection";

/** An operator's own publication of a read model, with a subscriber, beside roles that may read it. */
describe("a rebuild of a read model", () => {
  let servers: TestReplica;
  let log: PostgresEventLog;
  let host: ProjectionHost;
  let purses: PurseHost;
  const logger = new QuietLogger();

  beforeAll(async () => {
    servers = await startTestReplica();
    const { primary, replica } = servers;
    await primary.pool.query(TABLES);
    await primary.pool.query(
      `create role analyst; grant select on purses to analyst with grant option; grant select on moves_default to analyst;
       grant select (purse_id, amount), update (amount) on moves to analyst; grant select on purses to public`,
    );
    log = await createEventLog({ connection: primary.connection });
    purses = createActorHost({ log, clock: { now: () => 0 }, logger }, purseKind);
    host = await startProjection(
      { pool: primary.pool, feed: new LogFeed({ log, logger }), log, logger },
      purseProjection,
    );
    await replica.pool.query(TABLES);
  });
  afterAll(async () => {
    await host.stop();
    await purses.stop();
    await log.close();
    await servers.stop();
  });

  const moveMoney = async (): Promise<void> => {
    for (const name of ["a", "b", "c"]) await move(purses, `purse-${name}`, 5);
    await host.reached(await log.head());
  };
  const grants = async (): Promise<unknown[]> => {
    const { rows } = await servers.primary.pool.query<object>(
      `select table_name, grantee, privilege_type, is_grantable, '' as column_name from information_schema.role_table_grants
         where table_name ~ '^(purses|moves)' and grantee in ('analyst', 'PUBLIC')
       union all
       select table_name, grantee, privilege_type, is_grantable, column_name from information_schema.column_privileges
         where table_name = 'moves' and grantee = 'analyst'
       order by 1, 2, 3, 5`,
    );
    return rows;
  };

  test("leaves everybody the rights that they had", async () => {
    await moveMoney();
    const before = await grants();
    expect(before).toHaveLength(6);
    await host.rebuild();
    expect(await grants()).toEqual(before);
    expect(await rowsOf(servers.primary.pool)).toEqual(await rowsFrom(log));
  });

  test("of published tables reaches the subscribers, what was mended included, and what comes after it", async () => {
    const { primary, replica } = servers;
    await primary.pool.query("create publication own for table purses, moves");
    const connection = `host=${String(primary.connection.host)} port=5432 user=forno password=${String(primary.connection.password)} dbname=postgres`;
    await replica.pool.query(`create subscription own connection '${connection}' publication own`);
    const follows = () =>
      eventually(async () => {
        expect(await rowsOf(replica.pool)).toEqual(await rowsFrom(log));
      });
    await follows();
    await primary.pool.query("update purses set balance = 0; delete from moves where purse_id = 'purse-a'");
    const oid = "select 'purses'::regclass::oid, 'moves'::regclass::oid";
    const before = (await primary.pool.query(oid)).rows;
    const rights = await grants();

    await host.rebuild();
    expect((await primary.pool.query(oid)).rows).toEqual(before);
    expect(await grants()).toEqual(rights);
    expect(await rowsOf(primary.pool)).toEqual(await rowsFrom(log));
    await follows();
    await moveMoney();
    await follows();
    const { rows } = await primary.pool.query("select from pg_namespace where nspname like 'shadow%'");
    expect(rows).toEqual([]);
    await replica.pool.query("drop subscription own");
  });
});
