import { UnavailableError } from "../../mixins/contract/refusal";
import type { Camera } from "../camera/camera.events";

/** Questions to the registry at once, however many addresses are asked for. */
const QUESTIONS_MAX = 2;
/** Addresses that wait for their question; a flood beyond is refused. */
const WAITING_MAX = 20_000;

interface Waiting {
  readonly found: Promise<Camera | null>;
  readonly resolve: (camera: Camera | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Asks the registry for addresses, many with one question. What a flood of unknown addresses costs the database is bounded by
 * that: two statements at a time, each an index lookup of at most so many addresses.
 */
export class RegistryLookups {
  #waiting = new Map<string, Waiting>();
  #questions = 0;
  /** Since the start, for metrics. */
  asked = 0;

  constructor(
    private readonly ask: (macs: string[]) => Promise<readonly Camera[]>,
    private readonly macs_max: number,
  ) {}

  /** The registry's answer to a question that begins after this call. @throws UnavailableError `camera.lookups_busy`, or the question's. */
  find(mac: string): Promise<Camera | null> {
    const known = this.#waiting.get(mac);
    if (known !== undefined) return known.found;
    if (this.#waiting.size >= WAITING_MAX)
      return Promise.reject(
        new UnavailableError("camera.lookups_busy", "Too many unknown cameras ask at once; try again."),
      );
    const { promise: found, resolve, reject } = Promise.withResolvers<Camera | null>();
    this.#waiting.set(mac, { found, resolve, reject });
    if (this.#questions < QUESTIONS_MAX) void this.#work();
    return found;
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#questions += 1;
    // Who asks in the same breath asks together.
    await Promise.resolve();
    while (this.#waiting.size > 0) await this.#question(this.#next());
    this.#questions -= 1;
  }

  #next(): ReadonlyMap<string, Waiting> {
    const some = new Map([...this.#waiting].slice(0, this.macs_max));
    for (const mac of some.keys()) this.#waiting.delete(mac);
    return some;
  }

  async #question(waiting: ReadonlyMap<string, Waiting>): Promise<void> {
    this.asked += 1;
    try {
      const cameras = await this.ask([...waiting.keys()]);
      const byMac = new Map(cameras.map((camera) => [camera.mac_address, camera]));
      for (const [mac, { resolve }] of waiting) resolve(byMac.get(mac) ?? null);
    } catch (error) {
      for (const { reject } of waiting.values()) reject(error);
    }
  }
}
