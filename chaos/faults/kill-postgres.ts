import { away, type Fault } from "./fault";

const AWAY_MS = [100, 4_000] as const;

/** kill -9 of PostgreSQL: what was not flushed is gone, and everybody has lost their connections. */
export const killPostgres: Fault = {
  async strike({ fleet }, strike) {
    await fleet.postgres.kill();
    await away(strike, ...AWAY_MS);
    await fleet.postgres.start();
    return "postgres";
  },
};
