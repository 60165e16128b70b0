import { setTimeout as pause } from "node:timers/promises";
import type { Outcome } from "../history";
import type { Random } from "../random";

/** What a client came to know of its request. */
export interface Answer {
  readonly outcome: Outcome;
  /** Null when nobody answered. */
  readonly status: number | null;
  /** Name of the refusal. */
  readonly code: string | null;
  readonly body: unknown;
  readonly headers: Headers;
  readonly attempts: number;
}

/** Guests keep their keys apart by it; these here never take a key twice. */
export const GUEST_TOKEN = "the-guests-of-the-chaos-run";
/** A node that has not answered by then is given up for another one. */
export const ATTEMPT_MS_MAX = 4_000;
const PAUSE_MS_MAX = 400;
/** Longer than every fault lasts: what is still unanswered then stays unknown. */
const GIVE_UP_MS = 60_000;

/** Nodes that may be asked, and by whom. */
export interface Asking {
  readonly nodes: readonly string[];
  readonly random: Random;
  /** Ends all asking at once. */
  readonly over?: AbortSignal | undefined;
}

/**
 * Asks one node, and when that does not answer or cannot now, the next one, until somebody tells what became of the request.
 * @param attempt resolves with undefined when another one has to be asked.
 */
export async function insist(
  { nodes, random, over }: Asking,
  attempt: (node: string) => Promise<Omit<Answer, "attempts"> | undefined>,
): Promise<Answer> {
  const deadline = performance.now() + GIVE_UP_MS;
  let node = random.between(0, nodes.length - 1);
  for (let attempts = 1; ; attempts += 1) {
    const answer = await attempt(nodes[node % nodes.length] ?? "");
    if (answer !== undefined) return { ...answer, attempts };
    if (performance.now() > deadline || over?.aborted === true)
      return { outcome: "unknown", status: null, code: null, body: null, headers: new Headers(), attempts };
    node += 1;
    // No random numbers here: how often one has to ask must not change what is asked next.
    await pause(Math.min(PAUSE_MS_MAX, 10 * 2 ** attempts));
  }
}
