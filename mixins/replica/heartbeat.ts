import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "pg";
import { PUBLICATIONS } from "../../entities/publications";
import type { Logger } from "../logger";
import { startLeader, type LeaderHandle } from "../process/start-leader";

const NAMES = PUBLICATIONS.map(({ publication }) => publication);

/**
 * The head is read before the beat commits, and a row change commits together with its event: whoever receives the beat has
 * received every change up to its position. Two leaders may beat for an instant; the row never goes back.
 */
const BEAT = `
  insert into replica_heartbeats (publication, beaten_at, position)
  select publication, clock_timestamp(), (select head from es.lane where lane = 0) from unnest($1::text[]) publication
  order by publication
  on conflict (publication) do update set
    beaten_at = greatest(replica_heartbeats.beaten_at, excluded.beaten_at),
    position = greatest(replica_heartbeats.position, excluded.position)`;

/** Beats the heart of every publication, on one node of the fleet. */
export function startHeartbeat(deps: { pool: Pool; logger: Logger }, every_ms: number): LeaderHandle {
  return startLeader(deps, {
    name: "replica-heartbeat",
    async lead(over) {
      while (!over.aborted) {
        await beat(deps.pool);
        await pause(every_ms, undefined, { signal: over, ref: false }).catch(() => undefined);
      }
    },
  });
}

/** One beat. */
export async function beat(pool: Pool): Promise<void> {
  await pool.query(BEAT, [NAMES]);
}
