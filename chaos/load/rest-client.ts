import { setTimeout as pause } from "node:timers/promises";
import type { Outcome } from "../history";
import type { Random } from "../random";

export interface RestRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly route: string;
  readonly body?: object;
  /** Idempotency-Key of a write. */
  readonly key?: string;
  readonly token?: () => Promise<string>;
}

export interface RestAnswer {
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
const GUEST_TOKEN = "the-guests-of-the-chaos-run";
/** A node that has not answered by then is given up for another one. */
const ATTEMPT_MS_MAX = 4_000;
const PAUSE_MS_MAX = 400;
/** Longer than every fault lasts: what is still unanswered then stays unknown. */
const GIVE_UP_MS = 60_000;
/** The node cannot now: somebody else may, or it itself a moment later. */
const NOT_NOW = new Set([429, 502, 503, 504]);

/**
 * A client as it should be: it asks one node, and when that does not answer or cannot now, the next one with the same key,
 * until it knows what became of its request.
 */
export class RestClient {
  constructor(
    private readonly urls: readonly string[],
    private readonly random: Random,
    /** Ends all asking at once. */
    private readonly over?: AbortSignal,
  ) {}

  async ask(request: RestRequest): Promise<RestAnswer> {
    const deadline = performance.now() + GIVE_UP_MS;
    let node = this.random.between(0, this.urls.length - 1);
    for (let attempts = 1; ; attempts += 1) {
      const answer = await this.#attempt(this.urls[node % this.urls.length] ?? "", request);
      if (answer !== undefined) return { ...answer, attempts };
      if (performance.now() > deadline || this.over?.aborted === true)
        return { outcome: "unknown", status: null, code: null, body: null, headers: new Headers(), attempts };
      node += 1;
      // No random numbers here: how often one has to ask must not change what is asked next.
      await pause(Math.min(PAUSE_MS_MAX, 10 * 2 ** attempts));
    }
  }

  /** Undefined: ask again. */
  async #attempt(url: string, request: RestRequest): Promise<Omit<RestAnswer, "attempts"> | undefined> {
    const { method, route, body, key, token } = request;
    try {
      const response = await fetch(url + route, {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(key === undefined || method === "GET"
            ? {}
            : { "idempotency-key": key, "x-guest-token": GUEST_TOKEN }),
          ...(token === undefined ? {} : { authorization: `Bearer ${await token()}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ATTEMPT_MS_MAX),
      });
      const { status, headers } = response;
      const text = await response.text();
      if (NOT_NOW.has(status)) return undefined;
      const read = text === "" ? null : (JSON.parse(text) as unknown);
      const code = response.ok ? null : ((read as { code?: string } | null)?.code ?? "without a code");
      return { outcome: outcomeOf(status), status, code, body: read, headers };
    } catch {
      // Refused, reset, cut off in the middle or timed out: what it came to, the next node can tell.
      return undefined;
    }
  }
}

/** 409 and 422 are the business's no, 404 and the like a client's mistake; 5xx beyond "not now" nobody should ever see. */
function outcomeOf(status: number): Outcome {
  if (status < 400) return "acked";
  return status === 409 || status === 422 ? "refused" : "broken";
}
