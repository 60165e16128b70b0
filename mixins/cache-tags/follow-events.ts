import { setTimeout as pause } from "node:timers/promises";
import { UnavailableError } from "../contract/refusal";
import type { Position, RecordedEvent } from "../event-log/event-log";
import type { Logger } from "../logger";
import { Checkpoint } from "../projection/checkpoint";
import { CheckpointedConsumer } from "../projection/checkpointed-consumer";
import type { ConsumerTimes } from "../projection/consumer";
import { registerConsumer } from "../projection/consumer-registry";
import type { Runtime } from "../runtime";
import { cacheRulesOf, type CacheRules, type Ending, type RuleGroup } from "./cache-rules";

const AGAIN_MS = 200;
const LOOK_MS = 20;
const CATCH_UP_MS = 10_000;
/** The most that the cache keeps anything. */
const NOTE_KEPT_S = 86_400;
/** A read model that takes longer is worth a line in the log. */
const PATIENCE_MS = 10_000;

type FollowedRuntime = Pick<Runtime, "broker" | "cache" | "clock" | "feed" | "log" | "pool">;

/**
 * Ends cached values as their events come: call it when the services are there. With a cache of the whole chain, one node
 * follows a group's events for all; with a cache of its own, each node for itself. Resolves with "stop".
 *
 * An invalidation is never lost: the checkpoint moves after the cache has acknowledged it, and until then it is tried again.
 * Meanwhile this node goes around the cache for what may be outdated. Another node that reaches the cache which this one does not
 * may serve the old value until it takes over the consumer (some five seconds), or the value's time ends.
 *
 * When the log went back, everything kept is ended: it may be made of events that are in no log, and no event will end it.
 */
export async function followEvents(
  runtime: FollowedRuntime,
  times?: ConsumerTimes,
): Promise<() => Promise<void>> {
  const logger = runtime.broker.getLogger("cache");
  const rules = cacheRulesOf(runtime.broker);
  const stops = await Promise.all(
    rules.groups().map((group) => {
      const follower = new Follower(runtime, rules, group, logger);
      return runtime.cache.scope === "chain" ? follower.forChain(times) : follower.forNode();
    }),
  );
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

class Follower {
  readonly #stopped = new AbortController();
  readonly #handles: ReadonlySet<string>;
  #caught_up = false;
  #outstanding = false;
  /** Endings of everything that are under way. */
  #ending_all = 0;
  readonly #forgetChanges: () => void;

  constructor(
    private readonly runtime: FollowedRuntime,
    private readonly rules: CacheRules,
    private readonly group: RuleGroup,
    private readonly logger: Logger,
  ) {
    this.#handles = new Set(group.handles);
    this.#forgetChanges = runtime.log.lineage.onChange(() => void this.#endAll());
  }

  /** From now on: nothing was kept before. */
  async forNode(): Promise<() => Promise<void>> {
    const { name } = this.group;
    const handle = this.runtime.feed.subscribe({
      name,
      after: await this.runtime.log.head(),
      onBatch: (events) => this.#invalidate(events.filter(({ type }) => this.#handles.has(type))),
      wentBack: () => this.runtime.log.head(),
    });
    this.#caught_up = true;
    this.#tell();
    return async () => {
      this.#stop();
      await handle.stop();
    };
  }

  /** From the group's checkpoint on; a new one starts at the head, since nothing was kept before it. */
  async forChain(times?: ConsumerTimes): Promise<() => Promise<void>> {
    const { log, pool } = this.runtime;
    const { name, handles } = this.group;
    const head = await log.head();
    const ended = this.#endAllOfThePast();
    await Checkpoint.foundAt(pool, name, head);
    const consumer = await CheckpointedConsumer.start(
      { ...this.runtime, logger: this.logger },
      {
        name,
        handles,
        handle: async (events, move) => {
          await this.#invalidate(events);
          await move(pool);
        },
        heal: async ({ checkpoint }) => {
          const now = await log.head();
          await this.#endAll();
          await checkpoint.put(pool, now);
        },
      },
      times,
    );
    const unregister = registerConsumer(log, {
      name,
      kind: "process",
      get position() {
        return consumer.position;
      },
      get state() {
        return consumer.state;
      },
    });
    const caughtUp = this.#serveFrom(consumer, head);
    return async () => {
      unregister();
      this.#stop();
      await Promise.all([consumer.stop(), caughtUp, ended]);
    };
  }

  /** What happened while no node followed must have ended its values before they are served. */
  async #serveFrom(consumer: CheckpointedConsumer, head: Position): Promise<void> {
    while (!this.#stopped.signal.aborted)
      try {
        await consumer.reached(head, CATCH_UP_MS);
        this.#caught_up = true;
        this.#tell();
        return;
      } catch (error) {
        this.logger.debug(`${this.group.name} has not caught up yet: ${String(error)}`);
      }
  }

  /** @throws UnavailableError `cache.stopped` when it was stopped in the middle: the events come again. */
  async #invalidate(events: readonly RecordedEvent[]): Promise<void> {
    const { generation } = this.runtime.log.lineage;
    const endings = events.map((event) => this.#endingOf(event));
    const tags = [...new Set(endings.flatMap((ending) => ending.tags))];
    const patterns = [...new Set(endings.flatMap((ending) => ending.patterns))];
    const last = events.at(-1);
    if (tags.length + patterns.length === 0 || last === undefined) return;
    // A position that was taken back is waited for in vain.
    const inVain = (): boolean => generation !== this.runtime.log.lineage.generation;
    await this.#insist(
      "waits for its read model",
      () => this.#readModelsHave(last.position),
      LOOK_MS,
      inVain,
    );
    await this.#insist("cannot invalidate", () => this.#taken(tags, patterns), AGAIN_MS, inVain);
    this.rules.ended(
      endings.flatMap((ending) => ending.actions),
      this.runtime.clock.now(),
    );
  }

  /**
   * Ends everything that is kept of this group's actions, and goes around the cache until that is done: at once, and again when the
   * read models have made good what they held of lost events. Never rejects.
   */
  async #endAll(): Promise<void> {
    this.#ending_all += 1;
    this.#tell();
    const { cache, log } = this.runtime;
    const { actions } = this.group;
    const end = (): Promise<boolean> => cache.invalidateTags(...actions).then(() => true);
    try {
      await this.#insist("cannot end everything", end, AGAIN_MS);
      await this.#insist("waits for healing", () => this.#areHealed(), AGAIN_MS);
      await this.#insist("cannot end everything", end, AGAIN_MS);
      await this.#insist("cannot note the log", () => this.#note(log.lineage.name), AGAIN_MS);
    } catch (error) {
      this.logger.debug(`${this.group.name}: ${String(error)}`);
    }
    this.#ending_all -= 1;
    this.#tell();
  }

  async #areHealed(): Promise<boolean> {
    const diverged = await Checkpoint.diverged(this.runtime.pool);
    return !this.group.reads.some((name) => diverged.includes(name));
  }

  /** What others have kept while this chain's log was another one, and no node was there to see it change. */
  async #endAllOfThePast(): Promise<void> {
    const noted = await this.runtime.cache.get<string>(this.#noteKey());
    if (noted !== this.runtime.log.lineage.name) await this.#endAll();
  }

  /** Kept longer than anything else in the cache. */
  async #note(log_name: string): Promise<boolean> {
    if (this.runtime.cache.scope === "chain")
      await this.runtime.cache.set(this.#noteKey(), log_name, { ttl_s: NOTE_KEPT_S });
    return true;
  }

  #noteKey(): string {
    return `lineage:${this.group.name}`;
  }

  #endingOf(event: RecordedEvent): Ending {
    try {
      return this.group.endingOf(event);
    } catch (error) {
      // A mistake in one rule must not hold up all others for ever.
      this.logger.error(`${this.group.name}: no tags of ${event.type} at ${String(event.position)}:`, error);
      return { tags: [], patterns: [], actions: [] };
    }
  }

  async #readModelsHave(position: Position): Promise<boolean> {
    const { reads } = this.group;
    if (reads.length === 0) return true;
    const positions = await Checkpoint.positions(this.runtime.pool, reads);
    return reads.every((name) => (positions.get(name) ?? 0) >= position);
  }

  async #taken(tags: readonly string[], patterns: readonly string[]): Promise<boolean> {
    try {
      await this.runtime.cache.invalidateTags(...tags);
      for (const pattern of patterns) await this.runtime.cache.invalidatePattern(pattern);
      this.#outstanding = false;
      return true;
    } catch (error) {
      this.#outstanding = true;
      throw error;
    } finally {
      this.#tell();
    }
  }

  #tell(): void {
    const ending = this.#outstanding || this.#ending_all > 0;
    const yes = this.#caught_up && !ending && !this.#stopped.signal.aborted;
    this.rules.followed(this.group.name, yes);
  }

  async #insist(
    what: string,
    done: () => Promise<boolean>,
    again_ms: number,
    inVain: () => boolean = () => false,
  ): Promise<void> {
    const { signal } = this.#stopped;
    let complain_at = performance.now() + PATIENCE_MS;
    while (!signal.aborted && !inVain()) {
      let why: unknown = "not yet";
      try {
        if (await done()) return;
      } catch (error) {
        why = error;
      }
      if (performance.now() > complain_at) {
        complain_at += PATIENCE_MS;
        this.logger.warn(`${this.group.name} ${what}: ${String(why)}`);
      }
      await pause(again_ms, undefined, { signal, ref: false }).catch(() => undefined);
    }
    throw new UnavailableError("cache.stopped", `${this.group.name} is stopping.`);
  }

  #stop(): void {
    this.#forgetChanges();
    this.#stopped.abort();
    this.#tell();
  }
}
