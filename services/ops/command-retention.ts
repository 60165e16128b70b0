import { startJob, type JobHandle } from "../../mixins/process/start-job";
import type { Runtime } from "../../mixins/runtime";

const DAY_MS = 86_400_000;

/**
 * Drops once a day what no client may ask for again: partitions of `es.command` whose answers are all older than `days`. An
 * answer therefore lives between `days` and twice as long. A partition waits while a process has still to pass its commands.
 */
export function startCommandRetention(
  { pool, clock, broker }: Pick<Runtime, "pool" | "clock" | "broker">,
  days: number,
): JobHandle {
  const logger = broker.getLogger("command-retention");
  const run = async (): Promise<void> => {
    const { rows } = await pool.query<{ part: string }>("select es.drop_commands($1) as part", [
      new Date(clock.now() - days * DAY_MS),
    ]);
    for (const { part } of rows)
      logger.info(`Dropped es.${part}: its answers are older than ${String(days)} days`);
  };
  return startJob({ pool, logger }, { name: "command-retention", every_ms: DAY_MS, run });
}
