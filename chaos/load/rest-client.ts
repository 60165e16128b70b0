import type { Outcome } from "../history";
import type { Random } from "../random";
import { ATTEMPT_MS_MAX, GUEST_TOKEN, insist, type Answer } from "./insist";

export interface RestRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly route: string;
  readonly body?: object;
  /** Idempotency-Key of a write. */
  readonly key?: string;
  readonly token?: () => Promise<string>;
}

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

  ask(request: RestRequest): Promise<Answer> {
    const { urls: nodes, random, over } = this;
    return insist({ nodes, random, over }, (url) => this.#attempt(url, request));
  }

  /** Undefined: ask again. */
  async #attempt(url: string, request: RestRequest): Promise<Omit<Answer, "attempts"> | undefined> {
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
