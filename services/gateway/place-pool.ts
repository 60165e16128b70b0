/** A part of a pool that one key may have at most: an address, an account. */
export interface Share {
  readonly key: string;
  readonly max: number;
}

/** Places of one group, in all and by share. */
export class PlacePool {
  #taken = 0;
  readonly #shares = new Map<string, number>();

  constructor(readonly max: number) {}

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place that counts in all of these shares; returns what gives it back, or undefined where one of them is full. */
  take(shares: readonly Share[]): (() => void) | undefined {
    const isFull = shares.some(({ key, max }) => (this.#shares.get(key) ?? 0) >= max);
    if (isFull || this.#taken >= this.max) return undefined;
    this.#taken++;
    for (const { key } of shares) this.#shares.set(key, (this.#shares.get(key) ?? 0) + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#taken--;
      for (const { key } of shares) {
        const left = (this.#shares.get(key) ?? 1) - 1;
        if (left === 0) this.#shares.delete(key);
        else this.#shares.set(key, left);
      }
    };
  }
}
