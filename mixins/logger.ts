import type { Logger as MoleculerLogger } from "moleculer";

/** What everything that runs without a Moleculer service logs through; any Moleculer logger fits. */
export type Logger = Pick<MoleculerLogger, "debug" | "info" | "warn" | "error">;
