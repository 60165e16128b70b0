import { randomUUID } from "node:crypto";
import { guardOf, type RedisGuard } from "../../mixins/redis/redis-guard";
import type { RedisLink } from "../../mixins/redis/redis-link";
import { LOOK, NOTE } from "./views.scripts";

const KEEP_MS = 86_400_000;
/** Anybody may ask about posts that do not exist; until the database knows them, and answers at all, they are kept so long. */
const BRIEF_MS = 10_000;
/**
 * A sum in Redis is asked of the database again after this. While Redis hangs, or one node alone has lost it, views are
 * counted past it; when it is back, what it says is older than this and nobody believes it.
 */
const SUM_GOOD_MS = 250;
/** Members of one post's set, some 8 MB. People beyond it are known to the database alone. */
const MEMBERS_MAX = 100_000;

/** What Redis knows of a post, and of those who ask about it. */
export interface Look {
  /** Name of the log, and so of the database, that what is asked for now is read of. */
  readonly log: string;
  /** Under which a sum must come that is asked for now. */
  readonly epoch: string;
  /** By Redis' clock. */
  readonly at_ms: number;
  /** Undefined: ask the database. */
  readonly views: number | undefined;
  /** Nothing was known of this post before. */
  readonly is_new: boolean;
  /** Who of those asked about is known to be counted. */
  readonly seen: ReadonlySet<string>;
}

/** What the database said since. */
export interface Note {
  readonly post_id: string;
  readonly look: Look;
  readonly views: number | undefined;
  /** Users whose views are durable. */
  readonly user_ids: readonly string[];
}

/**
 * What Redis remembers of views, so that who comes again costs the database nothing. A copy, wrong never and missing at any
 * time: everything in it was durable before it got there.
 */
export class ViewsMemory {
  readonly #guard: RedisGuard;

  /** `log`: names the log as it is now; what Redis has learned of another one, or of its past, may be lost and is not believed. */
  constructor(
    private readonly link: RedisLink,
    private readonly log: () => string,
  ) {
    this.#guard = guardOf(link);
  }

  /** @throws UnavailableError `redis.unavailable`, after a tenth of a second at most. */
  async look(asked: ReadonlyMap<string, readonly string[]>): Promise<Map<string, Look>> {
    const epoch = randomUUID();
    const log = this.log();
    const args = [...asked.values()].flatMap((user_ids) => [user_ids.length, ...user_ids]);
    const reply = (await this.#guard.ask(() =>
      LOOK.run(this.link.client, keysOf(asked.keys()), [log, epoch, BRIEF_MS, SUM_GOOD_MS, ...args]),
    )) as [...[string, number, number, string][], number];
    const at_ms = reply.at(-1) as number;
    const looks = [...asked].map(([post_id, user_ids], at): [string, Look] => {
      const [own_epoch, sum, is_new, bits] = reply[at] as [string, number, number, string];
      const seen = new Set(user_ids.filter((_, user) => bits[user] === "1"));
      const views = sum < 0 ? undefined : sum;
      return [post_id, { log, epoch: own_epoch, at_ms, views, is_new: is_new === 1, seen }];
    });
    return new Map(looks);
  }

  /** @throws UnavailableError `redis.unavailable` */
  async note(told: readonly Note[]): Promise<void> {
    // What was read of the log's past may not be so here.
    const notes = told.filter(({ look }) => look.log === this.log());
    if (notes.length === 0) return;
    const args = notes.flatMap(({ look, views, user_ids }) => [
      ...[look.epoch, views ?? -1, look.at_ms, user_ids.length],
      ...user_ids,
    ]);
    const keys = keysOf(notes.map(({ post_id }) => post_id));
    await this.#guard.ask(() => NOTE.run(this.link.client, keys, [MEMBERS_MAX, KEEP_MS, BRIEF_MS, ...args]));
  }

  /** Of posts that are read no more, or never were. @throws UnavailableError `redis.unavailable` */
  async forget(post_ids: readonly string[]): Promise<void> {
    if (post_ids.length > 0) await this.#guard.ask(() => this.link.client.del(...keysOf(post_ids)));
  }

  /** Calls back when Redis is there, and each time that it is there again. Returns "stop". */
  onUp(tell: () => void): () => void {
    return this.link.onUp(tell);
  }
}

function keysOf(post_ids: Iterable<string>): string[] {
  return [...post_ids].flatMap((post_id) => [`post:${post_id}:views`, `post:${post_id}:views:count`]);
}
