import { mkdtempSync, chmodSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { SynchronousStandby } from "../../fleet/synchronous-standby";
import { eventually } from "./eventually";
import { startTestDatabase, type TestDatabase } from "./postgres";

/** Two PostgreSQL servers: every commit of the first waits for the second. */
export interface SynchronousPair {
  readonly primary: TestDatabase;
  readonly standby: SynchronousStandby;
  /** Whether work that was asked for is acknowledged, or a commit waits for the frozen standby: as many of such statements. */
  outcome(
    work: Promise<unknown>,
    statement?: { readonly like?: RegExp; readonly times?: number },
  ): Promise<"acknowledged" | "refused" | "waits">;
  stop(): Promise<void>;
}

export async function startSynchronousPair(
  options: Parameters<typeof startTestDatabase>[0] = {},
): Promise<SynchronousPair> {
  const primary = await startTestDatabase(options);
  const folder = mkdtempSync(path.join(tmpdir(), "forno-sb-"));
  chmodSync(folder, 0o711);
  const standby = new SynchronousStandby(primary.cluster, path.join(folder, "d"), options.settings);
  await standby.start();
  // A run that is broken off must not leave it behind.
  const orphaned = (): void => {
    standby.thaw();
    if (standby.cluster.pid !== undefined) process.kill(standby.cluster.pid, "SIGQUIT");
  };
  process.once("exit", orphaned);
  return {
    primary,
    standby,
    async outcome(work, { like = /./, times = 1 } = {}) {
      const settled = work.then(
        () => "acknowledged" as const,
        () => "refused" as const,
      );
      let over = false;
      const waits = eventually(async () => {
        if (over) return "waits" as const;
        const waiting = (await standby.waiting()).filter((query) => like.test(query));
        if (waiting.length < times) throw new Error("It does not wait for the standby.");
        return "waits" as const;
      });
      return Promise.race([settled, waits]).finally(() => (over = true));
    },
    async stop() {
      process.off("exit", orphaned);
      standby.thaw();
      await primary.stop();
      await standby.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
