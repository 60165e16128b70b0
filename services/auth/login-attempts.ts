import { createHash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { networkOf } from "../../mixins/contract/client-network";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { inTransaction } from "../../mixins/postgres/transaction";
import type { Clock } from "../../mixins/runtime";
import {
  PRESSURE_FROM,
  afterFailure,
  patienceOf,
  pressureAfter,
  pressureNow,
  type Counter,
  type Scope,
} from "./login-patience";

/** Whose password is tried, and from where. */
export interface Claim {
  /** One name an account, whatever was typed: {@link accountKey}. */
  readonly account: string;
  /** As the gateway counts clients; undefined for a call from inside. */
  readonly address: string | undefined;
  /** A device that has proved to know this account, or a session of it. */
  readonly known?: string | undefined;
}

/** An attempt that was let through; it counts as failed until {@link LoginAttempts.succeeded} or `withdrawn`. */
export interface Attempt {
  /** What starts anew when it succeeds. */
  readonly own: readonly string[];
  readonly raised: readonly RaisedCounter[];
}

interface RaisedCounter extends Counter {
  readonly key: string;
}

interface CounterRow extends Counter {
  readonly key: string;
}

/** Counters that nobody has touched for so long say nothing any more. */
const FORGOTTEN_MS = 24 * 3_600_000;

/**
 * Makes guessing of passwords slow for who guesses, and for nobody else. Who comes from a device that has signed in to the account
 * before is counted by that device alone, and no counter of others holds them up. Everybody else is counted by where they
 * come from: account and address, account and network, address, network. How much is tried at an account from all over makes
 * these stricter and never closes it: from wherever nobody has guessed, one try is always free.
 *
 * The counters live in the database: a restart forgets nothing, and nodes count together, with Redis or without.
 */
export class LoginAttempts {
  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets an attempt through or says when to come back. It counts as failed from here on, so that parallel guesses cannot
   * all slip in before the first has failed; the answer is the same whether the account exists or not.
   */
  begin(claim: Claim): Promise<Attempt | Refusal> {
    const { account, own, watched } = countersOf(claim);
    return inTransaction(this.pool, async (tx) => {
      const now_ms = this.clock.now();
      const rows = await lockedCounters(tx, [account, ...watched.map(({ key }) => key)], new Date(now_ms));
      const refusal = pausedBy(
        watched.map(({ key }) => known(rows, key)),
        now_ms,
      );
      if (isRefusal(refusal)) return refusal;
      const tried = known(rows, account);
      const pressed = pressureNow(tried, now_ms) >= PRESSURE_FROM;
      const raised = [
        { key: account, ...pressureAfter(tried, now_ms) },
        ...watched.map(({ scope, key }) => ({
          key,
          ...afterFailure(known(rows, key), patienceOf(scope, pressed), now_ms),
        })),
      ];
      await raise(tx, raised);
      return { own, raised };
    });
  }

  /** The password was right: who it was starts anew, the attempt no longer counts elsewhere. */
  succeeded(attempt: Attempt): Promise<void> {
    return this.#takeBack(attempt, attempt.own);
  }

  /** The attempt was never judged, e.g. because too many waited: as if it had not been. */
  withdrawn(attempt: Attempt): Promise<void> {
    return this.#takeBack(attempt, []);
  }

  /** Deletes counters that say nothing any more. */
  async sweep(): Promise<void> {
    // Who is at work on one is not waited for: it says something again.
    await this.pool.query(
      `delete from login_attempts where key in
         (select key from login_attempts where attempted_at < $1 for update skip locked)`,
      [new Date(this.clock.now() - FORGOTTEN_MS)],
    );
  }

  /** Pauses that others have earned meanwhile stay. Locked in the order of the keys, as in `begin`. */
  async #takeBack({ raised }: Attempt, emptied: readonly string[]): Promise<void> {
    await this.pool.query(
      `with raised as (select * from unnest($1::text[], $2::timestamptz[]) as r (key, paused_until)),
         locked as (select key from login_attempts where key = any($1) order by key for update)
       update login_attempts as kept
       set failures = case when kept.key = any($3) then 0 else greatest(kept.failures - 1, 0) end,
         paused_until = case when kept.paused_until = raised.paused_until then null else kept.paused_until end
       from raised join locked using (key)
       where kept.key = raised.key`,
      [raised.map(({ key }) => key), raised.map(({ paused_until }) => paused_until), emptied],
    );
  }
}

/**
 * What attempts at an account are counted by: the account, where the typed name is one's, by whichever of its names; else the
 * typed name, so that an account that does not exist is counted like any other.
 */
export function accountKey(user: { readonly user_id: string } | undefined, typed: string): string {
  return user === undefined ? `nobody ${typed}` : `user ${user.user_id}`;
}

/** The counters of a claim: the account's, which pauses nobody; those that may say "later"; and which of these are its own. */
interface ClaimCounters {
  readonly account: string;
  readonly own: readonly string[];
  readonly watched: readonly { readonly scope: Scope; readonly key: string }[];
}

function countersOf({ account, address = "inside", known }: Claim): ClaimCounters {
  const counter = (scope: Scope, ...parts: readonly string[]) => ({ scope, key: keyOf(scope, ...parts) });
  if (known !== undefined) {
    const device = counter("device", account, known);
    return { account: keyOf("account", account), own: [device.key], watched: [device] };
  }
  const network = networkOf(address);
  const own = [
    counter("pair", account, address),
    ...(network === undefined ? [] : [counter("place", account, network)]),
  ];
  const shared = [
    counter("address", address),
    ...(network === undefined ? [] : [counter("network", network)]),
  ];
  return {
    account: keyOf("account", account),
    own: own.map(({ key }) => key),
    watched: [...own, ...shared],
  };
}

function keyOf(scope: Scope | "account", ...parts: readonly string[]): string {
  return `${scope}:${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 40)}`;
}

async function lockedCounters(
  tx: PoolClient,
  keys: readonly string[],
  now: Date,
): Promise<Map<string, CounterRow>> {
  // Inserts what is missing and locks what is there, in the order of the keys: two attempts never wait crosswise.
  const { rows } = await tx.query<CounterRow>(
    `insert into login_attempts as kept (key, failures, attempted_at)
     select key, 0, $2 from unnest($1::text[]) as wanted (key) order by key
     on conflict (key) do update set attempted_at = kept.attempted_at
     returning key, failures, attempted_at, paused_until`,
    [keys, now],
  );
  return new Map(rows.map((row) => [row.key, row]));
}

async function raise(tx: PoolClient, counters: readonly RaisedCounter[]): Promise<void> {
  await tx.query(
    `update login_attempts as kept
     set failures = raised.failures, attempted_at = raised.attempted_at, paused_until = raised.paused_until
     from unnest($1::text[], $2::int[], $3::timestamptz[], $4::timestamptz[])
       as raised (key, failures, attempted_at, paused_until)
     where kept.key = raised.key`,
    [
      counters.map(({ key }) => key),
      counters.map(({ failures }) => failures),
      counters.map(({ attempted_at }) => attempted_at),
      counters.map(({ paused_until }) => paused_until),
    ],
  );
}

function known(rows: ReadonlyMap<string, CounterRow>, key: string): CounterRow {
  const row = rows.get(key);
  if (row === undefined) throw new Error("A login counter vanished while it was locked.");
  return row;
}

function pausedBy(counters: readonly Counter[], now_ms: number): Refusal | undefined {
  const until_ms = Math.max(...counters.map(({ paused_until }) => paused_until?.getTime() ?? 0));
  if (until_ms <= now_ms) return undefined;
  const retry_after_s = Math.ceil((until_ms - now_ms) / 1000);
  return refuse(
    "rate_limited",
    "auth.too_many_attempts",
    `Too many failed attempts; try again in ${String(retry_after_s)} s.`,
    { retry_after_s },
  );
}
