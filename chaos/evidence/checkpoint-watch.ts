import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { connectionOf } from "../../mixins/postgres/pool";
import type { CheckpointMove, Contest, Evidence } from "../checks/evidence";

/** Notes every move of a checkpoint in the transaction that makes it: what is rolled back is not noted either. */
const NOTE_MOVES = `
  create schema chaos;
  create table chaos.checkpoint_moves (
    n bigint generated always as identity, name text not null, from_pos bigint not null, to_pos bigint not null,
    xid xid8 not null);
  create function chaos.note_move() returns trigger language plpgsql as $$
  begin
    insert into chaos.checkpoint_moves (name, from_pos, to_pos, xid)
    values (old.name, old.pos, new.pos, pg_current_xact_id());
    return null;
  end $$;
  create trigger chaos_note_move after update of pos on es.checkpoint
  for each row execute function chaos.note_move()`;

const MOVES = `
  select name, from_pos::float8 as "from", to_pos::float8 as "to", xid::text from chaos.checkpoint_moves order by n`;
const LOCK = "select pos::float8 as pos from es.checkpoint where name = $1 for update";
/** The next event that the consumer has to handle itself, less one: who passes only others may move the checkpoint. */
const HARMLESS_UNTIL = `
  select coalesce(min(pos) filter (where type like $2) - 1, max(pos), $1)::float8 as pos from es.event where pos > $1`;
/** With the event that stands there, as whoever moves it has to say. */
const MOVE = `
  update es.checkpoint c set pos = e.pos, event_id = e.event_id, recorded_at = e.recorded_at
  from es.event e where c.name = $1 and e.pos = $2`;
const WAITING = `
  select backend_xid::text as xid from pg_stat_activity
  where $1::integer = any (pg_blocking_pids(pid)) and query like 'update es.checkpoint%' and backend_xid is not null`;

const WAITS_WITHIN_MS = 15_000;
const LOOK_MS = 10;

/** Watches how checkpoints are moved, and can contest one, as another host at work would. */
export class CheckpointWatch {
  readonly #contests: Contest[] = [];

  private constructor(private readonly urlOf: () => string) {}

  /** Puts the watch into a database, once. @param urlOf where it is by then. */
  static async install(urlOf: () => string): Promise<CheckpointWatch> {
    const watch = new CheckpointWatch(urlOf);
    await watch.#with((client) => client.query(NOTE_MOVES));
    return watch;
  }

  async evidence(): Promise<Pick<Evidence, "moves" | "contests">> {
    const moves = await this.#with(async (client) => (await client.query<CheckpointMove>(MOVES)).rows);
    return { moves, contests: this.#contests };
  }

  /**
   * Moves a checkpoint honestly, over events that its consumer has nothing to do with, at the moment when the host at work is
   * about to move it. That one has to notice, and to give way. @throws Error when nobody is about to.
   */
  async contest(name: string, handles: string): Promise<Contest> {
    for (const deadline = performance.now() + WAITS_WITHIN_MS; performance.now() < deadline;) {
      const contest = await this.#with((client) => this.#contestOnce(client, name, handles, deadline));
      if (contest === undefined) continue;
      this.#contests.push(contest);
      return contest;
    }
    throw new Error(`Nobody was about to move the checkpoint ${name}.`);
  }

  async #contestOnce(
    client: Client,
    name: string,
    handles: string,
    deadline: number,
  ): Promise<Contest | undefined> {
    await client.query("begin");
    const from = (await client.query<{ pos: number }>(LOCK, [name])).rows[0]?.pos ?? 0;
    const waiting = await this.#with((other) => waitingFor(other, client, deadline));
    const to = (await client.query<{ pos: number }>(HARMLESS_UNTIL, [from, handles])).rows[0]?.pos ?? from;
    // An event that has to be handled comes next: only who handles it may move.
    if (to <= from || waiting.length === 0) {
      await client.query("rollback");
      return undefined;
    }
    await client.query(MOVE, [name, to]);
    await client.query("commit");
    return { name, from, to, waiting };
  }

  async #with<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client(connectionOf(this.urlOf()));
    client.on("error", () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

/** Transactions that wait for what a client holds. */
async function waitingFor(other: Client, client: Client, deadline: number): Promise<string[]> {
  const pid = (await client.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid;
  while (performance.now() < deadline) {
    const { rows } = await other.query<{ xid: string }>(WAITING, [pid]);
    if (rows.length > 0) return rows.map(({ xid }) => xid);
    await pause(LOOK_MS);
  }
  return [];
}
