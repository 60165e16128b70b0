import { setTimeout as pause } from "node:timers/promises";
import type { FeedHandle } from "../../../mixins/event-feed/event-feed";
import type { Runtime } from "../../../mixins/runtime";

/** Rings when something was written to one stream since it was last silenced. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(readonly remove: () => void) {}

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Before reading the stream, so that what is written during the reading rings again. */
  silence(): void {
    this.#rung = false;
  }

  /** Resolves at once if it has rung, else when it does, or after a while. */
  async heard(ms_max: number): Promise<void> {
    if (this.#rung) return;
    const patience = new AbortController();
    const rung = new Promise<void>((resolve) => (this.#wake = resolve));
    const waited = pause(ms_max, undefined, { signal: patience.signal, ref: false }).catch(() => undefined);
    await Promise.race([rung, waited]);
    this.#wake = undefined;
    patience.abort();
  }
}

/**
 * Tells those who watch an order that its stream has grown; they read it themselves. So a watcher needs no queue: a slow
 * one reads later, and more at once.
 */
export class OrderBells {
  readonly #bells = new Map<string, Set<Bell>>();
  #count = 0;
  #feed: FeedHandle | undefined;
  #stopped = false;

  constructor(private readonly runtime: Pick<Runtime, "feed" | "log">) {}

  get count(): number {
    return this.#count;
  }

  /** Nobody will ring again. */
  get stopped(): boolean {
    return this.#stopped;
  }

  async start(): Promise<void> {
    this.#feed = this.runtime.feed.subscribe({
      name: "grpc:watch",
      after: await this.runtime.log.head(),
      onBatch: (events) => {
        if (this.#count > 0) for (const { stream_id } of events) this.#ring(stream_id);
        return Promise.resolve();
      },
      // Whoever watches reads again, whatever it was told.
      wentBack: async () => {
        const head = await this.runtime.log.head();
        for (const stream_id of this.#bells.keys()) this.#ring(stream_id);
        return head;
      },
    });
  }

  /** Rings everywhere for the last time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const stream_id of this.#bells.keys()) this.#ring(stream_id);
    await this.#feed?.stop();
  }

  /** A bell on a stream; to be removed after use. */
  on(stream_id: string): Bell {
    const bells = this.#bells.get(stream_id) ?? new Set<Bell>();
    this.#bells.set(stream_id, bells);
    const bell = new Bell(() => {
      if (!bells.delete(bell)) return;
      this.#count--;
      if (bells.size === 0 && this.#bells.get(stream_id) === bells) this.#bells.delete(stream_id);
    });
    bells.add(bell);
    this.#count++;
    return bell;
  }

  #ring(stream_id: string): void {
    for (const bell of this.#bells.get(stream_id) ?? []) bell.ring();
  }
}
