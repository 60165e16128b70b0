import type { Request, Response } from "./exchange";

/** Longer than anything takes that ends well: `?after=` waits five seconds, a call to another node six. */
export const ANSWER_MS_MAX = 10_000;
const LOOKS = 20;

/**
 * Sees to it that nobody waits without an end, whatever hangs behind the gateway: a request that has arrived whole and has
 * no answer after {@link ANSWER_MS_MAX} is given up. One timer for all; a timer for each would cost every request.
 */
export class Deadlines {
  /** In the order in which they came, so that the oldest are looked at first. */
  readonly #waiting = new Map<Request, { readonly res: Response; readonly due_ms: number }>();
  #looking: NodeJS.Timeout | undefined;

  constructor(
    private readonly giveUp: (req: Request, res: Response) => void,
    private readonly answer_ms_max = ANSWER_MS_MAX,
  ) {}

  /** Handles a request, and watches over it meanwhile. */
  async during(req: Request, res: Response, handle: () => Promise<void>): Promise<void> {
    this.#waiting.set(req, { res, due_ms: performance.now() + this.answer_ms_max });
    this.#looking ??= setInterval(() => {
      this.#look();
    }, this.answer_ms_max / LOOKS).unref();
    try {
      await handle();
    } finally {
      this.#waiting.delete(req);
    }
  }

  #look(): void {
    const now = performance.now();
    for (const [req, { res, due_ms }] of this.#waiting) {
      if (due_ms > now) return;
      // A body that still arrives has a limit of its own.
      if (!req.complete) continue;
      this.#waiting.delete(req);
      if (!res.headersSent && !res.destroyed) this.giveUp(req, res);
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}
