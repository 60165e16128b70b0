import { createHash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { inTransaction } from "../../mixins/postgres/transaction";
import type { Clock } from "../../mixins/runtime";

/** How one kind of counter answers failures: so many are free, then each doubles the pause. */
export interface Patience {
  readonly free: number;
  readonly pause_first_ms: number;
  readonly pause_max_ms: number;
  /** After so long without an attempt it starts from nothing. */
  readonly forget_ms: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Three counters watch a login. The one of the account *at this address* grows to a long pause: it hits who guesses and
 * nobody else. The other two stop guessing spread over addresses (account) or over accounts (address); their pauses are
 * short, and who has signed in to the account from this address within 30 days is not held up by them, so that nobody can
 * lock the owner out from elsewhere.
 */
export const PATIENCE = {
  pair: { free: 5, pause_first_ms: 1_000, pause_max_ms: 15 * MINUTE_MS, forget_ms: 24 * HOUR_MS },
  account: { free: 20, pause_first_ms: 1_000, pause_max_ms: MINUTE_MS, forget_ms: 24 * HOUR_MS },
  address: { free: 50, pause_first_ms: 1_000, pause_max_ms: 5 * MINUTE_MS, forget_ms: HOUR_MS },
} as const satisfies Record<string, Patience>;
type Scope = keyof typeof PATIENCE;

const TRUSTED_MS = 30 * 24 * HOUR_MS;

/** An attempt that was let through; it counts as failed until {@link LoginAttempts.succeeded} or `withdrawn`. */
export interface Attempt {
  readonly pair: string;
  readonly counted: readonly string[];
}

export interface Counter {
  readonly failures: number;
  readonly attempted_at: Date;
  readonly paused_until: Date | null;
}

interface CounterRow extends Counter {
  readonly key: string;
  readonly succeeded_at: Date | null;
}

/** The counter after one more failure. */
export function afterFailure(counter: Counter, patience: Patience, now_ms: number): Counter {
  const forgotten = now_ms - counter.attempted_at.getTime() > patience.forget_ms;
  const failures = forgotten ? 1 : counter.failures + 1;
  const over = failures - patience.free;
  const pause_ms = over <= 0 ? 0 : Math.min(patience.pause_max_ms, patience.pause_first_ms * 2 ** (over - 1));
  return {
    failures,
    attempted_at: new Date(now_ms),
    paused_until: pause_ms === 0 ? null : new Date(now_ms + pause_ms),
  };
}

/** Limits guessing of passwords. The counters live in the database: a restart forgets nothing, and nodes count together. */
export class LoginAttempts {
  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets an attempt through or says when to come back. It counts as failed from here on, so that parallel guesses cannot
   * all slip in before the first has failed; the answer is the same whether the account exists or not.
   */
  begin(account: string, address: string): Promise<Attempt | Refusal> {
    const keys = {
      pair: keyOf("pair", account, address),
      account: keyOf("account", account),
      address: keyOf("address", address),
    };
    return inTransaction(this.pool, async (tx) => {
      const now_ms = this.clock.now();
      const rows = await lockedCounters(tx, Object.values(keys), new Date(now_ms));
      const scopes = scopesOf(rows.get(keys.pair), now_ms);
      const counters = scopes.map((scope) => ({
        scope,
        key: keys[scope],
        counter: known(rows, keys[scope]),
      }));
      const refusal = pausedBy(
        counters.map(({ counter }) => counter),
        now_ms,
      );
      if (isRefusal(refusal)) return refusal;
      const raised = counters.map(({ scope, key, counter }) => ({
        key,
        ...afterFailure(counter, PATIENCE[scope], now_ms),
      }));
      await tx.query(
        `update login_attempts as kept
         set failures = raised.failures, attempted_at = $4, paused_until = raised.paused_until
         from unnest($1::text[], $2::int[], $3::timestamptz[]) as raised (key, failures, paused_until)
         where kept.key = raised.key`,
        [
          raised.map((row) => row.key),
          raised.map((row) => row.failures),
          raised.map((row) => row.paused_until),
          new Date(now_ms),
        ],
      );
      return { pair: keys.pair, counted: scopes.map((scope) => keys[scope]) };
    });
  }

  /** The password was right: the pair starts anew and is trusted, the attempt no longer counts elsewhere. */
  async succeeded(attempt: Attempt): Promise<void> {
    await this.withdrawn(attempt);
    await this.pool.query("update login_attempts set failures = 0, succeeded_at = $2 where key = $1", [
      attempt.pair,
      new Date(this.clock.now()),
    ]);
  }

  /** The attempt was never judged, e.g. because too many waited: as if it had not been. */
  async withdrawn(attempt: Attempt): Promise<void> {
    await this.pool.query(
      "update login_attempts set failures = greatest(failures - 1, 0), paused_until = null where key = any($1)",
      [attempt.counted],
    );
  }

  /** Deletes counters that say nothing any more. */
  async sweep(): Promise<void> {
    await this.pool.query("delete from login_attempts where attempted_at < $1", [
      new Date(this.clock.now() - TRUSTED_MS),
    ]);
  }
}

function keyOf(scope: Scope, ...parts: readonly string[]): string {
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
     returning key, failures, attempted_at, paused_until, succeeded_at`,
    [keys, now],
  );
  return new Map(rows.map((row) => [row.key, row]));
}

function known(rows: ReadonlyMap<string, CounterRow>, key: string): CounterRow {
  const row = rows.get(key);
  if (row === undefined) throw new Error("A login counter vanished while it was locked.");
  return row;
}

function scopesOf(pair: CounterRow | undefined, now_ms: number): readonly Scope[] {
  const succeeded_at = pair?.succeeded_at ?? null;
  const trusted = succeeded_at !== null && now_ms - succeeded_at.getTime() < TRUSTED_MS;
  return trusted ? ["pair"] : ["pair", "account", "address"];
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
