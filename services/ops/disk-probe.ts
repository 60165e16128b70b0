import { statfs } from "node:fs/promises";
import path from "node:path";
import type { HealthProbe } from "../../mixins/health/health-probes";
import type { Metrics } from "../../mixins/metrics/metrics";

const GB = 1_000_000_000;

/** Space on the disk of a folder, as far as we may use it. */
export interface DiskSpace {
  readonly free_bytes: number;
  readonly total_bytes: number;
}

/** From what is free of a disk on somebody should be woken: a share of it, within bounds that fit small and large ones. */
interface Threshold {
  readonly share: number;
  readonly bytes_min: number;
  readonly bytes_max: number;
}

/** 2 GB is what WAL alone may grow by between two checkpoints; a tenth of a large disk is days of orders. */
const LOW: Threshold = { share: 0.1, bytes_min: 2 * GB, bytes_max: 20 * GB };
/** Twelve segments of WAL: minutes. */
const ALMOST_FULL: Threshold = { share: 0.01, bytes_min: 0.2 * GB, bytes_max: 2 * GB };

/** Whether free space has fallen below a threshold. */
function below({ free_bytes, total_bytes }: DiskSpace, { share, bytes_min, bytes_max }: Threshold): boolean {
  return free_bytes < Math.max(bytes_min, Math.min(total_bytes * share, bytes_max));
}

/** What free space on a disk means for health. */
export function diskStatus(space: DiskSpace): "up" | "degraded" | "down" {
  if (below(space, ALMOST_FULL)) return "down";
  return below(space, LOW) ? "degraded" : "up";
}

/** Of the disk that a folder is on, or will be. @throws the system's error when the disk does not answer. */
export async function diskSpace(folder: string): Promise<DiskSpace> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free_bytes: bavail * bsize, total_bytes: blocks * bsize };
  } catch (error) {
    const parent = path.dirname(path.resolve(folder));
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === folder) throw error;
    return diskSpace(parent);
  }
}

/**
 * The disk of DATA_DIR, which holds the embedded database; that of an outside one is for its own monitoring. Not required: as
 * long as PostgreSQL writes, orders can be taken, and a node that is taken out for a threshold would be an outage by itself.
 */
export function diskProbe(folder: string, look: typeof diskSpace = diskSpace): HealthProbe {
  return {
    name: "disk",
    required: false,
    async probe() {
      const space = await look(folder);
      const status = diskStatus(space);
      return {
        ...{ status, ...space },
        ...(status === "up" ? {} : { detail: "Free some space: without any, nothing can be written." }),
      };
    },
  };
}

/** Free space as a gauge. */
export function registerDiskMetrics(metrics: Metrics, folder: string): void {
  metrics.gauge("forno_disk_free_bytes", "Free space on the disk of DATA_DIR.", async () => {
    return (await diskSpace(folder)).free_bytes;
  });
}
