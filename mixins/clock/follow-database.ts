import type { Pool } from "pg";
import type { Logger } from "../logger";
import { borrowConnection } from "../postgres/borrowed-connection";
import type { DatabaseClock, Sample } from "./database-clock";

/** As often the database is asked for its time. */
const EVERY_MS = 1_000;
/** At the start: the quickest of them says most. */
const FIRST_SAMPLES = 5;

const ASK = { name: "clock", text: "select extract(epoch from clock_timestamp())::float8 * 1000 as ms" };

/**
 * Sets a clock by the database's, before anything is decided by it, and goes on doing so. Gives back how to stop.
 * @throws the driver's error when the database does not answer the first question.
 */
export async function followDatabase(
  clock: DatabaseClock,
  pool: Pool,
  logger: Pick<Logger, "debug">,
  every_ms = EVERY_MS,
): Promise<() => Promise<void>> {
  const first: Sample[] = [];
  for (let i = 0; i < FIRST_SAMPLES; i += 1) first.push(await sampleOf(pool));
  clock.take(first.reduce((best, each) => (took(each) < took(best) ? each : best)));
  let asking: Promise<void> | undefined;
  const timer = setInterval(() => {
    asking ??= sampleOf(pool)
      .then((sample) => clock.take(sample))
      // The clock runs on by itself, and that the database does not answer is said by its own probe.
      .catch((error: unknown) => logger.debug(`The database did not tell its time: ${String(error)}`))
      .finally(() => (asking = undefined));
  }, every_ms).unref();
  return async () => {
    clearInterval(timer);
    await asking;
  };
}

const took = ({ asked_mono, answered_mono }: Sample): number => answered_mono - asked_mono;

/** Only the question is timed, not the wait for a free connection. */
async function sampleOf(pool: Pool): Promise<Sample> {
  const { connection, giveBack } = await borrowConnection(pool);
  let broken: unknown;
  try {
    const asked_mono = performance.now();
    const { rows } = await connection.query<{ ms: number }>(ASK);
    const answered_mono = performance.now();
    return { asked_mono, answered_mono, database_ms: rows[0]?.ms ?? Number.NaN };
  } catch (error) {
    broken = error;
    throw error;
  } finally {
    giveBack(broken !== undefined);
  }
}
