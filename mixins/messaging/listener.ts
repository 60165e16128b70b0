import { setImmediate as turn } from "node:timers/promises";
import type { Logger } from "../logger";
import type { OnMessage } from "./channels";
import { DropOldest } from "./drop-oldest";

/** What waits for one listener: some seconds of a busy chain, short of it only where messages are long. */
const WAITING_MAX = { items: 10_000, chars: 32_000_000 };
/** Then others on this thread have their turn. */
const SLICE_MS = 5;

interface Heard {
  readonly channel: string;
  readonly message: unknown;
  /** Of its JSON. */
  readonly chars: number;
}

/** One subscription: its queue, and the loop that hands over what waits there. */
export class Listener {
  readonly #queue = new DropOldest<Heard>(WAITING_MAX);
  #working = false;
  #stopped = false;
  #complained = false;

  constructor(
    private readonly on: OnMessage,
    private readonly logger: Logger,
    private readonly lost: (why: "slow_listener" | "listener_failed", count: number) => void,
  ) {}

  /** @param chars how long its JSON is */
  hand(channel: string, message: unknown, chars: number): void {
    const dropped = this.#queue.push({ channel, message, chars });
    if (dropped > 0) this.lost("slow_listener", dropped);
    if (!this.#working) void this.#work();
  }

  stop(): void {
    this.#stopped = true;
    this.#queue.clear();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#working = true;
    // Whoever publishes goes on first.
    await turn();
    let slice_end = performance.now() + SLICE_MS;
    for (let heard = this.#queue.next(); heard !== undefined; heard = this.#queue.next()) {
      await this.#tell(heard);
      if (performance.now() < slice_end) continue;
      await turn();
      slice_end = performance.now() + SLICE_MS;
    }
    this.#working = false;
  }

  async #tell({ channel, message }: Heard): Promise<void> {
    if (this.#stopped) return;
    try {
      const done = this.on(message, channel);
      if (done instanceof Promise) await done;
    } catch (error) {
      this.lost("listener_failed", 1);
      if (!this.#complained) this.logger.error(`A listener of ${channel} failed; it goes on:`, error);
      this.#complained = true;
    }
  }
}
