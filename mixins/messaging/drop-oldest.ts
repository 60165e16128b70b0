/** Slots that were left are given back once there are so many. */
const COMPACT_FROM = 1_024;

/** A queue with a bound: who comes when it is full pushes the oldest out. */
export class DropOldest<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  constructor(private readonly max: number) {}

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Whether the oldest had to go. */
  push(item: T): boolean {
    this.#items.push(item);
    if (this.size <= this.max) return false;
    this.next();
    return true;
  }

  /** Undefined when it is empty. */
  next(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= COMPACT_FROM && 2 * this.#head >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
