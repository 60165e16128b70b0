import { Errors } from "moleculer";
import { DatabaseError, type Pool, type PoolClient } from "pg";
import type { CommandIdentity } from "../contract/caller";
import { replayOf, type CommandOutcome } from "../contract/implement";
import { isRefusal, UnavailableError, type Refusal } from "../contract/refusal";
import { isOutage, unavailable, wentBack } from "../event-log/database-fault";
import type { AppendUnit, EventLog } from "../event-log/event-log";
import { borrowConnection, type BorrowedConnection } from "../postgres/borrowed-connection";

/** What a row change writes to the log, and what it answers its caller. */
export interface RowChange extends Pick<AppendUnit, "streams" | "guards" | "meta"> {
  readonly answer: unknown;
}

/** How often the work is done anew when somebody else wrote one of its streams, or the same row, in between. */
const CONFLICT_RETRIES = 5;
/** Unique violation, serialisation failure, deadlock: whoever was first is committed now, and the next try sees it. */
const RACE_LOST = new Set(["23505", "40001", "40P01"]);

type Log = Pick<EventLog, "appendIn" | "findAnswers" | "lineage">;
type Work = (tx: PoolClient) => Promise<RowChange | Refusal>;
/** Somebody else has written the stream, or answered the command. */
type Unwritten = "conflict" | "duplicate";

/**
 * Changes rows and appends the event that says so, in one transaction: both or neither. `work` reads and writes rows with
 * the given client, then says what to append; it runs again from the start after a version conflict, so it must do nothing
 * that a rollback does not undo. It reads the version that it expects of a stream inside this transaction.
 *
 * The append comes last because it holds the log's lock until the commit.
 *
 * @returns the outcome (`replayed` when the command was answered before), or the refusal of `work`.
 * @throws UnavailableError `log.contended` when the stream kept changing, `log.unavailable` when the database went away:
 *   then the same command id finds out whether it was done.
 */
export async function changeRows(
  { pool, log }: { readonly pool: Pool; readonly log: Log },
  identity: CommandIdentity,
  work: Work,
): Promise<CommandOutcome | Refusal> {
  let race: unknown;
  for (let attempt = 0; attempt <= CONFLICT_RETRIES; attempt += 1) {
    try {
      // A repetition must not come as far as the row that its first time has already written.
      if (identity.of_log !== undefined && identity.of_log !== log.lineage.name) throw wentBack();
      const [stored] = identity.fresh === true ? [] : await log.findAnswers([identity.id]);
      if (stored !== undefined) return replayOf(identity, stored);
      const outcome = await inTransaction(pool, (tx) => changeOnce(tx, log, identity, work));
      if (outcome === "duplicate") return await repetition(log, identity);
      if (outcome !== "conflict") return outcome;
      race = undefined;
    } catch (error) {
      if (!lostRace(error)) throw error;
      race = error;
    }
  }
  // A row that is in the way every time is not a race: that is for the work itself to look for, and to refuse.
  if (race !== undefined) throw race as Error;
  throw new UnavailableError("log.contended", "Others keep changing the same thing; try again in a moment.");
}

async function changeOnce(
  tx: PoolClient,
  log: Log,
  { id, fingerprint }: CommandIdentity,
  work: Work,
): Promise<CommandOutcome | Refusal | Unwritten> {
  const change = await work(tx);
  if (isRefusal(change)) return change;
  const { answer, ...written } = change;
  const outcome = await log.appendIn(tx, { ...written, commands: [{ id, fingerprint, answer }] });
  if (outcome.status !== "committed") return outcome.status;
  return { answer, position: outcome.position, replayed: false };
}

/** What a command came to that somebody else has just done: asked for behind the transaction, which has let the log go. */
async function repetition(log: Log, identity: CommandIdentity): Promise<CommandOutcome | Refusal> {
  const [stored] = await log.findAnswers([identity.id]);
  if (stored === undefined)
    throw new Error(`Command ${identity.id} is known to the log, but its answer is not.`);
  return replayOf(identity, stored);
}

function lostRace(error: unknown): boolean {
  return error instanceof DatabaseError && RACE_LOST.has(error.code ?? "");
}

/** Commits an outcome; rolls everything else back. */
async function inTransaction<T extends CommandOutcome | Refusal | Unwritten>(
  pool: Pool,
  body: (tx: PoolClient) => Promise<T>,
): Promise<T> {
  const { connection: tx, giveBack } = await connect(pool);
  let broken: Error | undefined;
  try {
    // Not the server's default, which an operator may have changed: the append needs to see what was committed last.
    await tx.query("begin isolation level read committed");
    const outcome = await body(tx);
    const isDone = typeof outcome === "object" && !isRefusal(outcome);
    await tx.query(isDone ? "commit" : "rollback");
    return outcome;
  } catch (error) {
    // A connection in an unknown state does not go back into the pool.
    await tx.query("rollback").catch((failed: unknown) => (broken = failed as Error));
    // UnavailableError and refusals of the work are not the database's, whatever their message says.
    throw !(error instanceof Errors.MoleculerError) && isOutage(error) && !lostRace(error)
      ? unavailable(error)
      : error;
  } finally {
    giveBack(broken);
  }
}

async function connect(pool: Pool): Promise<BorrowedConnection> {
  try {
    return await borrowConnection(pool);
  } catch (error) {
    throw unavailable(error);
  }
}
