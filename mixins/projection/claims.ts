import type { Pool } from "pg";
import type { EventLog, Position } from "../event-log/event-log";
import type { Logger } from "../logger";
import { borrowConnection, type BorrowedConnection } from "../postgres/borrowed-connection";

/** While somebody waits for a position, those that stand by look so often. */
const HURRIED_MS = 20;
/** A look takes a millisecond. A server that takes this long hangs, and the session is given up. */
const LOOK_TIMEOUT_MS = 5_000;

/** What a look at the claims that this node does not hold has found about one of them. */
export interface Sight {
  /** Whether this node holds the claim from now on. */
  readonly held: boolean;
  /** Where the consumer's checkpoint stands. */
  readonly checkpoint: Position;
  readonly head: Position;
}

/** A consumer of this node, of which the fleet wants one at work. */
export interface Claimant {
  readonly name: string;
  /** How often it wants to be told, while it does not hold its claim. */
  readonly look_ms: number;
  saw(sight: Sight): void;
}

interface ClaimDeps {
  readonly pool: Pool;
  readonly log: EventLog;
  readonly logger: Logger;
}

/** One log is one node: several nodes in one process, as in tests, stay apart. */
const claimsByLog = new WeakMap<EventLog, Claims>();

/** The claims of this node. */
export function claimsOf(deps: ClaimDeps): Claims {
  const known = claimsByLog.get(deps.log) ?? new Claims(deps);
  claimsByLog.set(deps.log, known);
  return known;
}

/**
 * Which consumers this node is to run: an advisory lock for each, all held by one session. The database gives the locks of a
 * node that was killed back at once, and those of a machine that fell off the network after some five seconds.
 *
 * A claim says who should be at work; that nothing happens twice is the checkpoint's fence alone. Therefore a broken session
 * sends nobody home: its consumers work on, and step back only when another node is seen to have taken the claim.
 */
export class Claims {
  readonly #claimants = new Set<Claimant>();
  readonly #held = new Set<Claimant>();
  #session: Promise<BorrowedConnection> | undefined;
  /** One question after the other: a connection takes the next only when it has answered. */
  #asked: Promise<unknown> = Promise.resolve();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hurried = 0;
  #leaving = 0;

  constructor(private readonly deps: ClaimDeps) {}

  /** Joins; resolves with whether the claim is held from the beginning. */
  async enter(claimant: Claimant): Promise<boolean> {
    this.#claimants.add(claimant);
    // A look that is under way has not asked for this one.
    await this.#looking?.catch(() => undefined);
    try {
      await this.#look();
    } catch (error) {
      this.#claimants.delete(claimant);
      throw error;
    }
    return this.#held.has(claimant);
  }

  /** Lets go of a claim, and tries for it again at the next look. */
  async giveUp(claimant: Claimant): Promise<void> {
    await this.#looking?.catch(() => undefined);
    if (this.#held.delete(claimant)) await this.#ask(UNLOCK, [claimant.name]);
    this.#lookAfter(claimant.look_ms);
  }

  /** Lets go of a claim for good. The session ends with the last one. */
  async leave(claimant: Claimant): Promise<void> {
    this.#claimants.delete(claimant);
    this.#leaving += 1;
    try {
      await this.giveUp(claimant);
    } finally {
      this.#leaving -= 1;
      if (this.#claimants.size === 0 && this.#leaving === 0) this.#drop();
    }
  }

  /** Looks often until the promise is settled: somebody waits for what another node is doing. */
  hurry(until: Promise<unknown>): void {
    this.#hurried += 1;
    const done = (): void => void (this.#hurried -= 1);
    until.then(done, done);
    this.#lookAfter(0);
  }

  #lookAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if ([...this.#claimants].every((each) => this.#held.has(each))) return;
    this.#timer = setTimeout(() => {
      this.#look().catch((error: unknown) => {
        this.deps.logger.debug(`claims: could not look: ${String(error)}`);
      });
    }, ms).unref();
  }

  /** One look at a time; the next one follows by itself as long as a claim is missing. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
      const often = Math.min(...Array.from(this.#claimants, ({ look_ms }) => look_ms));
      this.#lookAfter(this.#hurried > 0 ? HURRIED_MS : often);
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const missing = new Map(
      [...this.#claimants].filter((each) => !this.#held.has(each)).map((each) => [each.name, each]),
    );
    if (missing.size === 0) return;
    const rows = await this.#ask<Sight & { name: string }>(LOOK, [[...missing.keys()]]);
    for (const { name, ...sight } of rows) {
      const claimant = missing.get(name);
      if (claimant === undefined) continue;
      if (sight.held) this.#held.add(claimant);
      claimant.saw(sight);
    }
  }

  async #ask<R extends object>(text: string, values: unknown[]): Promise<R[]> {
    const session = (this.#session ??= this.#open());
    try {
      const { connection } = await session;
      const asked = this.#asked.then(() => connection.query<R>({ ...bounded(text), values }));
      this.#asked = asked.catch(() => undefined);
      return (await asked).rows;
    } catch (error) {
      this.#drop(session);
      throw error;
    }
  }

  async #open(): Promise<BorrowedConnection> {
    const session = await borrowConnection(this.deps.pool);
    const mine = this.#session;
    session.connection.once("end", () => {
      this.#drop(mine);
    });
    await session.connection.query(bounded(NOTICE_DEAD_PEERS));
    return session;
  }

  /** Closes the session, and with it every lock. */
  #drop(session = this.#session): void {
    if (session === undefined || session !== this.#session) return;
    this.#session = undefined;
    this.#held.clear();
    session.then(
      ({ giveBack }) => {
        giveBack(true);
      },
      () => undefined,
    );
    this.#lookAfter(HURRIED_MS);
  }
}

const bounded = (text: string): { text: string; query_timeout: number } => ({
  text,
  query_timeout: LOOK_TIMEOUT_MS,
});

/** On Unix sockets without effect, and without need. */
const NOTICE_DEAD_PEERS =
  "set tcp_keepalives_idle = 2; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 3";

/** $1 names. Scalar subqueries, so that no plan can evaluate the lock more than once a name. */
const LOOK = `select c.name, pg_try_advisory_lock(hashtextextended('consumer ' || c.name, 0)) as held,
    coalesce((select k.pos from es.checkpoint k where k.name = c.name and k.partition = -1), 0) as checkpoint,
    (select l.head from es.lane l where l.lane = 0) as head
  from unnest($1::text[]) as c (name)`;
const UNLOCK = "select pg_advisory_unlock(hashtextextended('consumer ' || $1, 0))";
