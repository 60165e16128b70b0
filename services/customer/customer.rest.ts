import { randomUUID } from "node:crypto";
import { isRefusal } from "../../mixins/contract/refusal";
import type { Logger } from "../../mixins/logger";
import { startJob, type JobHandle } from "../../mixins/process/start-job";
import type { Runtime } from "../../mixins/runtime";
import { UNKNOWN, type Erasures } from "./customer.erasure";

const EVERY_MS = 3_600_000;
/** Tokens that an erasure has ended are good for a quarter of an hour at the most, where no node has heard of it. */
const LOOKED_FOR_MS = 48 * 3_600_000;

export interface RestDeps {
  readonly runtime: Pick<Runtime, "pool" | "clock">;
  readonly erasures: Erasures;
  readonly logger: Logger;
}

/**
 * Erases what came in under accounts while they were erased: another node may have taken an order or a review at that moment
 * by a token that it did not know to be void yet. Most times there is nothing.
 * @returns how many accounts had something.
 */
export async function eraseRest(
  { runtime, erasures, logger }: RestDeps,
  stopping?: AbortSignal,
): Promise<number> {
  const since = new Date(runtime.clock.now() - LOOKED_FOR_MS);
  const { rows } = await runtime.pool.query<{ person_id: string }>(ERASED_SINCE, [since]);
  let found = 0;
  for (const { person_id } of rows) {
    if (stopping?.aborted === true) return found;
    const command = { id: randomUUID(), fingerprint: "", fresh: true } as const;
    const person = { user_id: person_id, phone: null };
    const outcome = await erasures.erase(person, "rest", command, { actor: "system:customer" });
    if (!isRefusal(outcome)) found += 1;
    else if (outcome.code !== UNKNOWN.code)
      logger.info(`what is left of account ${person_id} is erased later: ${outcome.code}`);
  }
  return found;
}

/** Has it done every hour, by one node. */
export function startRest(deps: RestDeps): JobHandle {
  return startJob(
    { pool: deps.runtime.pool, logger: deps.logger },
    {
      name: "customer-erasure-rest",
      every_ms: EVERY_MS,
      async run(stopping) {
        await eraseRest(deps, stopping);
      },
    },
  );
}

const ERASED_SINCE =
  "select distinct person_id from es.erasure where person_id is not null and erased_at > $1";
