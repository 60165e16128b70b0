/** How a flight ended. */
export interface Landed<T> {
  readonly answer: T;
  /** Whether the answer also holds for those who came while it was under way: nothing in it was invalidated meanwhile. */
  readonly shared: boolean;
}

/**
 * One flight a key. Who comes while one is under way takes its answer, unless the answer may be older than their question:
 * then they take that of the next flight, which has begun after they came. So nobody waits for more than two.
 */
export class SingleFlight {
  readonly #flights = new Map<string, Promise<Landed<unknown>>>();

  /** @throws whatever the flight throws, to all who wait for it. */
  async run<T>(key: string, fly: () => Promise<Landed<T>>): Promise<T> {
    const before = this.#flights.get(key);
    if (before !== undefined) {
      const { answer, shared } = await before;
      if (shared) return answer as T;
    }
    const { answer } = await (this.#flights.get(key) ?? this.#start(key, fly));
    return answer as T;
  }

  #start(key: string, fly: () => Promise<Landed<unknown>>): Promise<Landed<unknown>> {
    const flight = Promise.resolve()
      .then(fly)
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}
