import type { ClientConfig } from "pg";
import { archiveSegments } from "../../mixins/event-log/archive";
import { startJob } from "../../mixins/process/start-job";
import type { Runtime } from "../../mixins/runtime";

const DAY_MS = 86_400_000;

/**
 * Looks once a day for full segments of the log that are older than `days`, and that every consumer has passed, and makes
 * files of them. Gives back how to stop.
 */
export function startLogArchive(
  { pool, clock, broker }: Runtime,
  connection: ClientConfig,
  folder: string,
  days: number,
): () => Promise<void> {
  const logger = broker.getLogger("log-archive");
  const run = async (): Promise<void> => {
    const before = new Date(clock.now() - days * DAY_MS);
    for (const { file, sha256 } of await archiveSegments({ connection, folder, before }))
      logger.info(`Archived a segment of the event log: ${file}, SHA-256 ${sha256}`);
  };
  const job = startJob({ pool, logger }, { name: "log-archive", every_ms: DAY_MS, run });
  return () => job.stop();
}
