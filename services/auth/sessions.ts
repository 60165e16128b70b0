import { createHash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import type { CommandIdentity } from "../../mixins/contract/caller";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { EventLog } from "../../mixins/event-log/event-log";
import { inTransaction } from "../../mixins/postgres/transaction";
import type { Clock, Ids } from "../../mixins/runtime";
import { TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_REVOKED } from "./access-token";
import type { SigningKeys } from "./signing-keys";

const DAY_MS = 86_400_000;
/** How long a refresh token is good; each use gives a new one, so a session lives as long as it is used. */
export const REFRESH_TTL_MS = 30 * DAY_MS;

const KEY_REUSED = refuse(
  "conflict",
  "idempotency.key_reused",
  "This Idempotency-Key was used with another request; take a new key.",
);

/** A session and the refresh token that its client now holds. */
export interface OpenSession {
  readonly session_id: string;
  readonly user_id: string;
  readonly legal_entity_id: string | null;
  readonly refresh_token: string;
  /** The same command has been here before. */
  readonly replayed: boolean;
}

/** A refresh token came a second time: one of its two users has stolen it. */
export interface ReusedToken {
  readonly reused_session_id: string;
  readonly user_id: string;
}

interface SessionRow {
  readonly session_id: string;
  readonly user_id: string;
  readonly legal_entity_id: string | null;
  readonly fingerprint: string;
  readonly revoked_at: Date | null;
}

interface RefreshRow extends SessionRow {
  readonly expires_at: Date;
  readonly used_at: Date | null;
  readonly used_by: string | null;
}

/**
 * Sessions and their refresh tokens. A token is derived from its forerunner with a key of this chain and stored only as a
 * hash: so a client that lost an answer gets the same tokens by repeating its command, though they are kept nowhere.
 */
export class Sessions {
  constructor(
    private readonly pool: Pool,
    private readonly log: Pick<EventLog, "durable">,
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Opens a session for a login, or finds the one that the same command opened before. */
  async open(
    user_id: string,
    command: CommandIdentity,
    legal_entity_id: string | null,
  ): Promise<OpenSession | Refusal> {
    const wanted = { session_id: this.ids.uuid(), user_id, legal_entity_id };
    const fresh = await inTransaction(this.pool, async (tx) => {
      const { rowCount } = await tx.query(
        `insert into sessions (session_id, user_id, command_id, fingerprint, legal_entity_id, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (command_id) do nothing`,
        [
          wanted.session_id,
          user_id,
          command.id,
          command.fingerprint,
          legal_entity_id,
          this.#at(0),
          this.#at(REFRESH_TTL_MS),
        ],
      );
      if (rowCount === 0) return false;
      await this.#insertToken(tx, this.#firstToken(wanted.session_id), wanted.session_id);
      return true;
    });
    if (fresh) return { ...wanted, refresh_token: this.#firstToken(wanted.session_id), replayed: false };
    const kept = await this.#openedBy(command.id);
    if (kept?.user_id !== user_id || kept.fingerprint !== command.fingerprint) return KEY_REUSED;
    if (kept.revoked_at !== null) return TOKEN_REVOKED;
    await this.log.durable();
    return { ...sessionOf(kept), refresh_token: this.#firstToken(kept.session_id), replayed: true };
  }

  /** Trades a refresh token for the next one. Each works once; the same command may repeat itself. */
  rotate(token: string, command: CommandIdentity): Promise<OpenSession | ReusedToken | Refusal> {
    const next = this.#digest(`next ${token}`);
    return inTransaction(this.pool, async (tx) => {
      const row = await lockedToken(tx, token);
      if (row === undefined) return TOKEN_INVALID;
      if (row.revoked_at !== null) return TOKEN_REVOKED;
      if (row.used_at !== null) return this.#repeated(tx, row, next, command);
      if (row.expires_at.getTime() <= this.clock.now()) return TOKEN_EXPIRED;
      await tx.query("update refresh_tokens set used_at = $2, used_by = $3 where token_hash = $1", [
        hashOf(token),
        this.#at(0),
        command.id,
      ]);
      await tx.query("update sessions set expires_at = $2 where session_id = $1", [
        row.session_id,
        this.#at(REFRESH_TTL_MS),
      ]);
      await this.#insertToken(tx, next, row.session_id);
      return { ...sessionOf(row), refresh_token: next, replayed: false };
    });
  }

  /** The living session that a refresh token belongs to. */
  async find(token: string): Promise<{ session_id: string; user_id: string } | undefined> {
    const { rows } = await this.pool.query<{ session_id: string; user_id: string }>(
      `select session_id, user_id from refresh_tokens join sessions using (session_id) where token_hash = $1`,
      [hashOf(token)],
    );
    return rows[0];
  }

  /** When a living session was opened. */
  async openedAt(session_id: string): Promise<Date | undefined> {
    const { rows } = await this.pool.query<{ created_at: Date }>(
      "select created_at from sessions where session_id = $1 and revoked_at is null",
      [session_id],
    );
    return rows[0]?.created_at;
  }

  /** Deletes what has expired; the tokens go with their sessions. */
  async sweep(): Promise<void> {
    await this.pool.query("delete from sessions where expires_at < $1", [this.#at(-DAY_MS)]);
    await this.pool.query("delete from refresh_tokens where expires_at < $1", [this.#at(-DAY_MS)]);
  }

  async #repeated(
    tx: PoolClient,
    row: RefreshRow,
    next: string,
    command: CommandIdentity,
  ): Promise<OpenSession | ReusedToken | Refusal> {
    // What is found here needs no barrier: the row's lock stands in the WAL, so this transaction's commit waits as a write's.
    if (row.used_by !== command.id) return { reused_session_id: row.session_id, user_id: row.user_id };
    // A key that was changed since derives another token, which was never given out.
    const issued = await lockedToken(tx, next);
    return issued === undefined ? TOKEN_INVALID : { ...sessionOf(row), refresh_token: next, replayed: true };
  }

  async #insertToken(tx: PoolClient, token: string, session_id: string): Promise<void> {
    await tx.query(
      "insert into refresh_tokens (token_hash, session_id, issued_at, expires_at) values ($1, $2, $3, $4)",
      [hashOf(token), session_id, this.#at(0), this.#at(REFRESH_TTL_MS)],
    );
  }

  async #openedBy(command_id: string): Promise<SessionRow | undefined> {
    const { rows } = await this.pool.query<SessionRow>("select * from sessions where command_id = $1", [
      command_id,
    ]);
    return rows[0];
  }

  #firstToken(session_id: string): string {
    return this.#digest(`first ${session_id}`);
  }

  #digest(text: string): string {
    return this.keys.digest("refresh token", text).toString("base64url");
  }

  #at(offset_ms: number): Date {
    return new Date(this.clock.now() + offset_ms);
  }
}

/**
 * Ends sessions of a user, all or the named one; the ids of those that were still open. Part of a transaction that also
 * appends the event.
 */
export async function revokeSessions(
  tx: PoolClient,
  which: { user_id: string; session_id?: string | undefined },
  reason: string,
  at: Date,
): Promise<string[]> {
  const { rows } = await tx.query<{ session_id: string }>(
    `update sessions set revoked_at = $3, revoked_because = $4
     where user_id = $1 and ($2::uuid is null or session_id = $2) and revoked_at is null
     returning session_id`,
    [which.user_id, which.session_id ?? null, at, reason],
  );
  return rows.map(({ session_id }) => session_id);
}

function sessionOf({ session_id, user_id, legal_entity_id }: SessionRow) {
  return { session_id, user_id, legal_entity_id };
}

const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

async function lockedToken(tx: PoolClient, token: string): Promise<RefreshRow | undefined> {
  const { rows } = await tx.query<RefreshRow>(
    `select s.session_id, s.user_id, s.legal_entity_id, s.fingerprint, s.revoked_at, t.expires_at, t.used_at, t.used_by
     from refresh_tokens t join sessions s using (session_id)
     where t.token_hash = $1 for update`,
    [hashOf(token)],
  );
  return rows[0];
}
