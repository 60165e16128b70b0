import type { Pool, PoolClient } from "pg";
import type { EventLog, RecordedEvent } from "../../../mixins/event-log/event-log";
import type { Projection } from "../../../mixins/projection/projection";
import type { PurseEvent } from "../../support/purse";

/** Two tables as real read models have them: a plain one, and one that is partitioned by month. */
export const TABLES = `
  create table purses (purse_id text not null, balance bigint not null, moves integer not null default 0,
    constraint purses_key primary key (purse_id), constraint purses_solvent check (balance > -1000000));
  create index purses_by_balance on purses (balance) where balance > 0;
  create table moves (purse_id text not null, version integer not null, amount bigint not null, moved_at timestamptz not null,
    constraint moves_key primary key (purse_id, version, moved_at)) partition by range (moved_at);
  create index moves_by_time on moves (moved_at desc);
  create table moves_past partition of moves for values from (minvalue) to ('2020-01-01');
  create table moves_default partition of moves default;`;

export const purseProjection: Projection = {
  name: "purses",
  tables: ["purses", "moves"],
  handles: ["purse.moved"],
  async apply(events: readonly RecordedEvent[], tx: PoolClient) {
    const moved = events as readonly RecordedEvent<PurseEvent["data"]>[];
    const ids = moved.map(({ stream_id }) => stream_id);
    const amounts = moved.map(({ data }) => data.amount);
    await tx.query(
      `insert into purses (purse_id, balance, moves)
       select id, sum(amount), count(*) from unnest($1::text[], $2::bigint[]) as m (id, amount) group by id order by id
       on conflict (purse_id) do update set balance = purses.balance + excluded.balance, moves = purses.moves + excluded.moves`,
      [ids, amounts],
    );
    await tx.query(
      "insert into moves (purse_id, version, amount, moved_at) select * from unnest($1::text[], $2::integer[], $3::bigint[], $4::timestamptz[])",
      [ids, moved.map(({ version }) => version), amounts, moved.map(({ recorded_at }) => recorded_at)],
    );
  },
};

interface Rows {
  readonly purses: unknown[];
  readonly moves: unknown[];
}

/** The read model as it is. */
export async function rowsOf(pool: Pool): Promise<Rows> {
  const purses = await pool.query("select purse_id, balance, moves from purses order by purse_id");
  const moves = await pool.query("select purse_id, version, amount from moves order by purse_id, version");
  return { purses: purses.rows, moves: moves.rows };
}

/** The read model as it should be, folded from the log. */
export async function rowsFrom(log: EventLog): Promise<Rows> {
  const moved = (await log.readAll(0, 1_000_000)).filter(
    ({ type }) => type === "purse.moved",
  ) as RecordedEvent<PurseEvent["data"]>[];
  const purses = Map.groupBy(moved, ({ stream_id }) => stream_id);
  const byPurse = (a: { purse_id: string }, b: { purse_id: string }): number =>
    a.purse_id < b.purse_id ? -1 : a.purse_id > b.purse_id ? 1 : 0;
  return {
    purses: Array.from(purses, ([purse_id, of]) => ({
      purse_id,
      balance: of.reduce((sum, { data }) => sum + data.amount, 0),
      moves: of.length,
    })).sort(byPurse),
    moves: [...purses]
      .flatMap(([purse_id, of]) =>
        of.map(({ version, data }) => ({ purse_id, version, amount: data.amount })),
      )
      .sort((a, b) => byPurse(a, b) || a.version - b.version),
  };
}
