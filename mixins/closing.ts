import type { Logger } from "./logger";

/** What each step is given at least, also when the time for all is up: most need a moment only. */
const STEP_MS_MIN = 50;
const STEP_MS_MAX = 500;

interface Step {
  readonly what: string;
  readonly close: () => unknown;
  readonly ms_max: number;
}

/** A step that was not waited for any longer, or that failed. */
const CUT = Symbol("cut");

/**
 * What was opened, and how to close it: last first, step by step, each within its time and all within the time for all. What
 * a step needs may hang (a database, a broker): then it is left behind, because the process ends soon after anyway.
 */
export class Closing {
  readonly #steps: Step[] = [];

  constructor(private readonly logger: Pick<Logger, "warn">) {}

  /** To be closed before everything that was added earlier. */
  add(what: string, close: () => unknown, ms_max = STEP_MS_MAX): void {
    this.#steps.unshift({ what, close, ms_max });
  }

  /** Closes all; resolves with what could not be closed in time or at all, each also in the log. Never rejects. */
  async run(ms_max: number): Promise<readonly string[]> {
    const deadline = performance.now() + ms_max;
    const cut: string[] = [];
    for (const { what, close, ms_max: own_ms } of this.#steps.splice(0)) {
      const ms = Math.max(STEP_MS_MIN, Math.min(own_ms, deadline - performance.now()));
      if ((await this.#within(ms, what, close)) === CUT) cut.push(what);
    }
    return cut;
  }

  async #within(ms: number, what: string, close: () => unknown): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => {
        this.logger.warn(`Stopping: ${what} did not end within ${ms.toFixed(0)} ms and is cut.`);
        resolve(CUT);
      }, ms);
    });
    const closed = Promise.resolve()
      .then(close)
      .catch((error: unknown) => {
        this.logger.warn(`Stopping: ${what} failed: ${String(error)}`);
        return CUT;
      });
    try {
      return await Promise.race([closed, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
