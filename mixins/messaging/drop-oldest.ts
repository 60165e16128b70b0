/** Slots that were left are given back once there are so many. */
const COMPACT_FROM = 1_024;

/** What a queue may hold. */
export interface Bounds {
  readonly items: number;
  /** Of text in all items together: a character takes one or two bytes. */
  readonly chars: number;
}

/** A queue with bounds: who comes when it is full pushes the oldest out. The newest has room, however long it is. */
export class DropOldest<T extends { readonly chars: number }> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #chars = 0;

  constructor(private readonly max: Bounds) {}

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** How many of the oldest had to go. */
  push(item: T): number {
    this.#items.push(item);
    this.#chars += item.chars;
    let dropped = 0;
    for (; this.size > this.max.items || (this.#chars > this.max.chars && this.size > 1); dropped++)
      this.next();
    return dropped;
  }

  /** Undefined when it is empty. */
  next(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.#chars -= item?.chars ?? 0;
    if (this.#head >= COMPACT_FROM && 2 * this.#head >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#chars = 0;
  }
}
