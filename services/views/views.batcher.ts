import { UnavailableError } from "../../mixins/contract/refusal";

interface Waiting<A, B> {
  readonly asked: A;
  readonly size: number;
  readonly resolve: (answer: B) => void;
  readonly reject: (error: Error) => void;
}

/** Bounds of a batch, in whatever `size` counts. */
interface BatchBounds {
  /** Beyond it callers are refused: some seconds of work. */
  readonly waiting_max: number;
  readonly batch_max: number;
}

/**
 * Group commit: whatever waits while a batch is on its way is the next one, so batches grow by themselves with load and a
 * lone caller waits for nobody.
 */
export class Batcher<A, B> {
  #waiting: Waiting<A, B>[] = [];
  #waiting_size = 0;
  #working: Promise<void> | undefined;
  #closed = false;

  /** `work` answers each of a batch in its order, or fails for all. */
  constructor(
    private readonly work: (batch: readonly A[]) => Promise<readonly B[]>,
    private readonly bounds: BatchBounds,
  ) {}

  /** Sum of the sizes of those that wait. */
  get waiting(): number {
    return this.#waiting_size;
  }

  /** @throws UnavailableError `views.busy`, `views.closed`, or what `work` throws. */
  ask(asked: A, size: number): Promise<B> {
    if (this.#closed)
      return Promise.reject(new UnavailableError("views.closed", "This node is stopping; try again."));
    if (this.#waiting_size + size > this.bounds.waiting_max)
      return Promise.reject(
        new UnavailableError("views.busy", "Too many views are waiting; try again in a moment."),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ asked, size, resolve, reject });
      this.#waiting_size += size;
      this.#working ??= this.#work();
    });
  }

  /** Takes no more; resolves when all that was asked is answered. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    // One turn of the event loop: callers that come in together go together.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) await this.#answer(this.#take());
    this.#working = undefined;
  }

  async #answer(batch: readonly Waiting<A, B>[]): Promise<void> {
    try {
      const answers = await this.work(batch.map(({ asked }) => asked));
      for (const [at, { resolve, reject }] of batch.entries()) {
        const answer = answers[at];
        if (answer === undefined) reject(new Error("A batch left somebody without an answer."));
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error as Error);
      // Whoever waits behind would fare no better: let them know now, and not each after a timeout of their own.
      if (!(error instanceof UnavailableError)) return;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      this.#waiting_size = 0;
    }
  }

  #take(): Waiting<A, B>[] {
    let [count, size] = [0, 0];
    for (const { size: own } of this.#waiting) {
      if (count > 0 && size + own > this.bounds.batch_max) break;
      count += 1;
      size += own;
    }
    this.#waiting_size -= size;
    return this.#waiting.splice(0, count);
  }
}
