import type { Position } from "../../../mixins/event-log/event-log";
import type { Broadcast } from "./frame";

/** The newest broadcasts, kept for clients that come back soon. */
export class Backlog {
  #broadcasts: Broadcast[] = [];
  #covers_after: Position;

  constructor(
    private readonly messages_max: number,
    start: Position,
  ) {
    this.#covers_after = start;
  }

  /** In order of position. */
  add(broadcast: Broadcast): void {
    this.#broadcasts.push(broadcast);
    // Halving now and then costs less than shifting at every event.
    if (this.#broadcasts.length < this.messages_max * 2) return;
    const dropped = this.#broadcasts.splice(0, this.messages_max);
    this.#covers_after = dropped.at(-1)?.position ?? this.#covers_after;
  }

  /** At most `limit` broadcasts after a position; undefined when some of them are no longer here. */
  after(position: Position, limit: number): readonly Broadcast[] | undefined {
    if (position < this.#covers_after) return undefined;
    const first = this.#firstAfter(position);
    return this.#broadcasts.slice(first, first + limit);
  }

  #firstAfter(position: Position): number {
    let low = 0;
    let high = this.#broadcasts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#broadcasts[middle]?.position ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
