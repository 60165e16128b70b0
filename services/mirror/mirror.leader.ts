import { setTimeout as pause } from "node:timers/promises";
import type { EventFeed } from "../../mixins/event-feed/event-feed";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import type { RedisLink } from "../../mixins/redis/redis-link";
import { eventNameAt, eventNameOf, rebuildMirror, type RebuildNeeds } from "./mirror.rebuild";
import { MirrorLostError, type Marker } from "./mirror.store";
import { Translation } from "./mirror.translation";

/** So soon is a flush noticed when nothing is written. */
const WATCH_MS = 500;
const RETRY_FIRST_MS = 100;
const RETRY_MS_MAX = 1_000;
/** Events in one step: what Redis takes in one go, about a millisecond of its time. */
const EVENTS_PER_STEP = 100;
/** The rooms that a rebuild asks; they start together with this one, or on other nodes. */
const ROOMS = ["branch", "menu", "slot"];
const ROOMS_TIMEOUT_MS = 5_000;

export interface LeaderNeeds extends RebuildNeeds {
  readonly redis: Pick<RedisLink, "isUp">;
  readonly feed: EventFeed;
}

/**
 * What the one node does that writes the mirror. Its life, again and again:
 *
 * - *looks* at the marker in Redis; there is none, or a rebuild was broken off, or it tells of another log: *rebuilds*
 * - *follows* the feed from the marker on, step by step, and watches the marker
 * - Redis or the database fails, or the mirror is lost: waits a moment, and looks again.
 */
export class MirrorLeader {
  #published: Position | undefined;
  #complaint = "";
  rebuilds = 0;

  constructor(
    private readonly needs: LeaderNeeds,
    private readonly newGeneration: () => string,
  ) {}

  async lead(over: AbortSignal): Promise<void> {
    // Another leader may have published more since this one led.
    this.#published = undefined;
    const isOver = (): boolean => over.aborted;
    for (let pause_ms = RETRY_FIRST_MS; !isOver(); pause_ms = Math.min(2 * pause_ms, RETRY_MS_MAX)) {
      // Only what was written tells that Redis takes it: a full one answers every question.
      const written = (): void => {
        this.#recovered();
        pause_ms = RETRY_FIRST_MS;
      };
      try {
        const { rebuilds } = this;
        const marker = await this.#ready(over);
        if (this.rebuilds > rebuilds) written();
        await this.#follow(marker, over, written);
      } catch (error) {
        if (isOver()) return;
        // Of a Redis that is away its link has told.
        if (this.needs.redis.isUp) this.#complain(error);
      }
      await pause(pause_ms, undefined, { signal: over, ref: false }).catch(() => undefined);
    }
  }

  /** A mirror that can be followed from its marker on. */
  async #ready(over: AbortSignal): Promise<Marker> {
    const { store, broker, logger } = this.needs;
    const marker = await store.marker();
    if (marker?.state === "following" && (await this.#isOfThisLog(marker))) return marker;
    if (marker !== undefined && marker.state !== "rebuilding") {
      logger.warn("what Redis holds is of another log; it is removed");
      await store.purge();
      this.#published = undefined;
    }
    await broker.waitForServices(ROOMS, ROOMS_TIMEOUT_MS);
    this.rebuilds += 1;
    return rebuildMirror(this.needs, this.newGeneration(), this.#published, over);
  }

  /** A database that was restored to an older state has other events at the positions that it gives anew. */
  async #isOfThisLog({ position, event_id }: Marker): Promise<boolean> {
    const { log } = this.needs;
    if (position > (await log.head())) return false;
    const found = await eventNameAt(log, position);
    // Markers of older versions name the id alone.
    return event_id === "" || event_id === found || event_id === found.split(" ")[0];
  }

  /** Resolves when leading is over; rejects when the mirror has to be looked at again. */
  async #follow({ generation, position }: Marker, over: AbortSignal, written: () => void): Promise<void> {
    const { feed, store } = this.needs;
    const end = Promise.withResolvers<undefined>();
    let ended = false;
    const stopAt = (error?: unknown): void => {
      ended = true;
      if (error === undefined) end.resolve(undefined);
      else end.reject(error);
    };
    const onOver = (): void => stopAt();
    over.addEventListener("abort", onOver);
    if (over.aborted) stopAt();
    const translation = new Translation(this.needs);
    let at = position;
    this.#published = at;
    const handle = feed.subscribe({
      name: "mirror",
      after: at,
      // Never throws: the feed would offer the same batch again, after ever longer pauses.
      onBatch: async (events, through) => {
        try {
          for (const step of stepsOf(events, at, through)) {
            if (ended) return;
            await store.step(generation, { ...step, ...(await translation.of(step.events)) });
            at = step.through;
            this.#published = at;
            written();
          }
        } catch (error) {
          stopAt(error);
        }
      },
      wentBack: () => {
        stopAt(new MirrorLostError("The log went back: what Redis holds is compared with it."));
        return Promise.resolve(at);
      },
    });
    const watch = setInterval(() => {
      this.#assertThere(generation, at).catch(stopAt);
    }, WATCH_MS).unref();
    try {
      await end.promise;
    } finally {
      clearInterval(watch);
      over.removeEventListener("abort", onOver);
      await handle.stop();
    }
  }

  /** @throws MirrorLostError when Redis has not kept what was written. */
  async #assertThere(generation: string, written: Position): Promise<void> {
    const marker = await this.needs.store.marker();
    if (marker?.generation !== generation) throw new MirrorLostError("Redis has lost the mirror.");
    if (marker.position < written)
      throw new MirrorLostError(`Redis has gone back to position ${String(marker.position)}.`);
  }

  /** Once for each cause: it may last for hours. */
  #complain(error: unknown): void {
    const complaint = String(error);
    if (complaint !== this.#complaint) this.needs.logger.warn(`will try again: ${complaint}`);
    this.#complaint = complaint;
  }

  #recovered(): void {
    if (this.#complaint !== "") this.needs.logger.info("going on");
    this.#complaint = "";
  }
}

interface Stretch {
  readonly after: Position;
  readonly through: Position;
  readonly event_id: string;
  readonly events: readonly RecordedEvent[];
}

/** A batch cut into steps that follow each other without a gap; what lies at or before `at` was done before. */
function stepsOf(batch: readonly RecordedEvent[], at: Position, through: Position): Stretch[] {
  const events = batch.filter(({ position }) => position > at);
  const steps: Stretch[] = [];
  for (let done = 0, after = at; after < through;) {
    const some = events.slice(done, done + EVENTS_PER_STEP);
    const last = some.at(-1);
    done += some.length;
    const end = done < events.length ? (last?.position ?? through) : through;
    steps.push({
      after,
      through: end,
      event_id: last?.position === end ? eventNameOf(last) : "",
      events: some,
    });
    after = end;
  }
  return steps;
}
