import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "pg";
import type { LazyConnection } from "./connection";
import { faultOf, isSilence, unavailable } from "./database-fault";
import { NoPulseError, type Pulse } from "./pulse";

/** How long something is tried over and over before its callers hear that the log is unavailable, while there are answers … */
export const TRY_FOR_MS = 8_000;
/** … and while there are none: long enough for a server on this machine to be started again, soon enough for who waits. */
const SILENCE_MS_MAX = 2_000;
/** How long somebody may take to make room on a full disk. Whoever comes while it is known to be full is told at once. */
const FULL_MS_MAX = 1_000;
const PAUSE_FIRST_MS = 5;
const PAUSE_MAX_MS = 500;

/** How something is asked of the log that may be asked again without harm. */
export class Insistence {
  /** The disk was full when something was last asked. */
  #full = false;

  constructor(
    private readonly connection: LazyConnection,
    private readonly pulse: Pulse,
    private readonly try_for_ms: number,
  ) {}

  /**
   * Asks until there is an answer, over a new connection when the old one broke.
   * @param makePartitions called when a partition is not there.
   * @throws UnavailableError `log.unavailable` when there was no answer in time; what the database says of a value that it
   *   cannot store, or of a statement that is wrong.
   */
  async untilAnswered<T>(
    ask: (client: Client) => Promise<T>,
    makePartitions: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<T> {
    const begun = performance.now();
    let silent_since: number | undefined;
    for (let wait_ms = PAUSE_FIRST_MS; ; wait_ms = Math.min(2 * wait_ms, PAUSE_MAX_MS)) {
      try {
        const answer = await this.pulse.during(this.connection.client().then(ask));
        this.#full = false;
        return answer;
      } catch (error) {
        const fault = faultOf(error);
        // Not awaited: who does not answer does not say goodbye either. The next attempt has a connection of its own.
        if (fault === "retry") void this.connection.drop();
        if (fault === "unit" || fault === "defect") throw error;
        const now = performance.now();
        silent_since = isSilence(error) ? (silent_since ?? now) : undefined;
        const silent_ms = silent_since === undefined ? 0 : now - silent_since + wait_ms;
        const tried_ms = now - begun + wait_ms;
        if (error instanceof NoPulseError || silent_ms > SILENCE_MS_MAX || tried_ms > this.try_for_ms)
          throw unavailable(error);
        if (fault === "full" && (this.#full || tried_ms > FULL_MS_MAX)) {
          this.#full = true;
          throw unavailable(error);
        }
        if (fault === "partition") await makePartitions().catch(tellLoss);
        await pause(wait_ms);
      }
    }
  }
}

/** Another fault comes back with the next attempt, under the same deadline; this one stays. */
function tellLoss(error: unknown): void {
  if (faultOf(error) === "lost") throw unavailable(error);
}
