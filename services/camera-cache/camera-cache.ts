import { cachedValue, type CacheRule } from "../../mixins/cache-tags/cached-action";
import { MemoryTagCache } from "../../mixins/cache-tags/memory-tag-cache";
import type { CacheAnswer } from "../../mixins/cache-tags/tag-cache";
import { SYSTEM } from "../../mixins/contract/caller";
import { act } from "../../mixins/contract/implement";
import type { FeedHandle } from "../../mixins/event-feed/event-feed";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { findCameras, MACS_MAX } from "../camera/camera.contract";
import { CAMERA_EVENT_TYPES, macsOf, macTag, type Camera, type CameraChanged } from "../camera/camera.events";
import { getCameraByMac } from "./camera-cache.contract";
import { RegistryLookups } from "./registry-lookups";

const CAMERA_TTL_S = 3_600;
/** An address that nobody has registered is not asked for again so long … */
const UNKNOWN_TTL_S = 30;
/** … and so many of them are remembered, some ten megabytes. */
const UNKNOWN_MAX = 50_000;

const tagsOf = ({ data }: RecordedEvent): string[] => macsOf(data as CameraChanged["data"]).map(macTag);

/**
 * How cameras are kept in the node's first level and, with Redis, there under `camera:mac:{MAC}`. Only a camera that was found
 * names its tag: one that is named before the computation leaves a mark in Redis for days, and anybody may make up addresses.
 */
const RULE: CacheRule<{ readonly mac: string }, Camera | null> = {
  key_prefix: "camera:mac",
  key: ({ mac }) => mac,
  ttl_s: CAMERA_TTL_S,
  ttl_jitter: 0.1,
  tags: ({ mac }, camera) => (camera == null ? [] : [macTag(mac)]),
  invalidate_on: Object.fromEntries(CAMERA_EVENT_TYPES.map((type) => [type, tagsOf])),
};

type CacheRuntime = Pick<Runtime, "broker" | "cache" | "feed" | "log">;

/**
 * Cameras by MAC address: first level, Redis, registry. Addresses that nobody has are remembered by each node for itself, apart
 * from the cameras and bounded, so that a flood of them pushes no camera out and leaves nothing in Redis but, while the registry
 * is asked, a lock that is given back. Within the bound each is asked for once in its time. All of it follows the registry's
 * events, and what this node changes also at once.
 */
export class CameraCache {
  readonly #unknown = new MemoryTagCache(undefined, { entries_max: UNKNOWN_MAX });
  readonly #cached;
  readonly #lookups: RegistryLookups;
  #feed: FeedHandle | undefined;

  constructor(private readonly runtime: CacheRuntime) {
    this.#cached = cachedValue(runtime, getCameraByMac, RULE);
    this.#lookups = new RegistryLookups(
      async (macs) =>
        (await act(runtime.broker, findCameras, { macs }, { meta: { caller: SYSTEM } })).cameras,
      MACS_MAX,
    );
  }

  async start(): Promise<void> {
    const types: readonly string[] = CAMERA_EVENT_TYPES;
    this.#feed = this.runtime.feed.subscribe({
      name: "camera-cache:unknown",
      after: await this.runtime.log.head(),
      onBatch: async (events) => {
        const tags = events.filter(({ type }) => types.includes(type)).flatMap(tagsOf);
        await this.#unknown.invalidateTags(...tags);
      },
      wentBack: async () => {
        const head = await this.runtime.log.head();
        await this.#unknown.invalidatePattern("*");
        return head;
      },
    });
  }

  /** The registry knows something new of these addresses. */
  forget(macs: readonly string[]): Promise<void> {
    return this.#unknown.invalidateTags(...macs.map(macTag));
  }

  async stop(): Promise<void> {
    await this.#feed?.stop();
    await this.#unknown.close();
  }

  /** Questions to the registry, and addresses remembered as unknown. */
  get figures(): { readonly questions: number; readonly unknown: number } {
    return { questions: this.#lookups.asked, unknown: this.#unknown.figures.first_level_entries };
  }

  /**
   * The camera with a normalised address; null: there is none.
   * @throws UnavailableError when the registry does not answer, or too many ask.
   */
  async find(mac: string): Promise<CacheAnswer<Camera | null>> {
    if (await this.#isUnknown(mac)) return { value: null, state: "HIT", age_s: 0 };
    const look = () => this.#cached({ mac }, SYSTEM, async () => (await this.#ask(mac)).value);
    const first = await look();
    // "Nobody" carries no tag, so it may be of before a registration; this node's own memory knows. A second look begins now.
    return first.value !== null || (await this.#isUnknown(mac)) ? first : look();
  }

  /** The same past every memory. */
  async fresh(mac: string): Promise<CacheAnswer<Camera | null>> {
    return { value: await this.#lookups.find(mac), state: "BYPASS", age_s: 0 };
  }

  async #isUnknown(mac: string): Promise<boolean> {
    return (await this.#unknown.get(mac)) === null;
  }

  /** Keeps only that there is none: what there is, the shared cache keeps. */
  #ask(mac: string): Promise<CacheAnswer<Camera | null>> {
    const terms = { ttl_s: 0, null_ttl_s: UNKNOWN_TTL_S, tags: [macTag(mac)] };
    return this.#unknown.getOrCompute(mac, terms, () => this.#lookups.find(mac));
  }
}
