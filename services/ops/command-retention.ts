import { startJob, type JobHandle } from "../../mixins/process/start-job";
import type { Runtime } from "../../mixins/runtime";

const DAY_MS = 86_400_000;
/** Partitions are made for a day ahead: the job comes round several times in it. */
const EVERY_MS = DAY_MS / 4;

/**
 * Makes the next partition of `es.command` in time, so that no command finds none, and drops those whose answers are all older
 * than `days`: no client may ask for them again. An answer therefore lives between `days` and twice as long. A partition waits
 * while a process has still to pass its commands.
 */
export function startCommandRetention(
  { pool, clock, broker }: Pick<Runtime, "pool" | "clock" | "broker">,
  days: number,
): JobHandle {
  const logger = broker.getLogger("command-retention");
  const run = async (): Promise<void> => {
    await pool.query("select es.ensure_command_partitions($1)", [days]);
    const { rows } = await pool.query<{ part: string }>("select es.drop_commands($1) as part", [
      new Date(clock.now() - days * DAY_MS),
    ]);
    for (const { part } of rows)
      logger.info(`Dropped es.${part}: its answers are older than ${String(days)} days`);
  };
  return startJob({ pool, logger }, { name: "command-retention", every_ms: EVERY_MS, run });
}
