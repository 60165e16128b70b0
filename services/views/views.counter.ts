import type { Logger } from "../../mixins/logger";
import type { Clock } from "../../mixins/runtime";
import { Batcher } from "./views.batcher";
import type { Look, Note, ViewsMemory } from "./views.memory";
import type { PostViews, View, ViewsStore } from "./views.store";

/** Views that wait, and views in one batch: a statement of 2 000 takes some 20 ms. */
const WAITING_MAX = 50_000;
const BATCH_MAX = 2_000;
/** People that are read back for a post that Redis knows nothing of; of a post with more, it learns who comes. */
const FILL_EACH_MAX = 5_000;
const FILL_POSTS = 10;
/** Posts that wait to be filled; the rest is learned from who comes. */
const FILLS_WAITING_MAX = 1_000;
/** Members in one message. */
const FILL_AT_ONCE = 1_000;
const WARM_POSTS = 100;

interface Asked {
  readonly user_id: string;
  readonly post_ids: readonly string[];
}

/** A post as a viewer is told of it. */
export interface Viewed {
  readonly views: number;
  /** The viewer wrote it. */
  readonly own: boolean;
}

/** What a node has counted since its start; plain numbers, read by metrics. */
export interface ViewFigures {
  batches: number;
  /** Views that were known to Redis already. */
  known: number;
  /** Views that the database was asked to count. */
  asked: number;
  /** Batches that were counted past Redis, or of which it was not told. */
  without_redis: number;
}

interface Parts {
  readonly store: ViewsStore;
  /** Absent without Redis; there but down at any moment otherwise. */
  readonly memory?: ViewsMemory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Counts views: once for each user and post, for ever. Whoever Redis knows is answered from there; all others wait for one
 * statement in PostgreSQL that carries everything which came in meanwhile. An answer says what is durable.
 */
export class ViewCounter {
  readonly #batcher = new Batcher<Asked, ReadonlyMap<string, Viewed>>((batch) => this.#count(batch), {
    waiting_max: WAITING_MAX,
    batch_max: BATCH_MAX,
  });
  readonly figures: ViewFigures = { batches: 0, known: 0, asked: 0, without_redis: 0 };
  readonly #toFill = new Set<string>();
  #isFilling = false;

  constructor(private readonly parts: Parts) {}

  /** Views that wait to be counted. */
  get waiting(): number {
    return this.#batcher.waiting;
  }

  /**
   * The published posts among these, with their views. Ids in lower case, each once.
   * @throws UnavailableError `views.busy`, `views.closed`, `database.unavailable`; a view may be counted all the same.
   */
  view(user_id: string, post_ids: readonly string[]): Promise<ReadonlyMap<string, Viewed>> {
    return this.#batcher.ask({ user_id, post_ids }, post_ids.length);
  }

  /** Tells Redis of the posts that are most likely to be asked for. Never rejects. */
  readonly warm = (): Promise<void> =>
    this.#aside(async (memory) => {
      const hot = await this.parts.store.hot(WARM_POSTS);
      const looks = await memory.look(new Map(hot.map((post_id) => [post_id, []])));
      const read = await this.parts.store.read(hot);
      const notes = notesOf(looks, postsOf(read), []);
      await memory.note(notes);
      this.#fill(notes);
    });

  /** A post is read no more, or somebody who read it is forgotten. Never rejects: what Redis keeps of it ends by itself. */
  forget(...post_ids: readonly string[]): Promise<void> {
    return this.#aside((memory) => memory.forget(post_ids));
  }

  /** Takes no more; resolves when all that was asked is answered. */
  close(): Promise<void> {
    this.#toFill.clear();
    return this.#batcher.close();
  }

  async #count(batch: readonly Asked[]): Promise<readonly ReadonlyMap<string, Viewed>[]> {
    const asked = byPost(batch);
    const looks = await this.#look(asked);
    const unseen: View[] = [];
    const unread: string[] = [];
    for (const [post_id, user_ids] of asked) {
      const look = looks?.get(post_id);
      const strangers = user_ids.filter((user_id) => look?.seen.has(user_id) !== true);
      unseen.push(...strangers.map((user_id) => ({ post_id, user_id })));
      if (strangers.length === 0 && look?.views === undefined) unread.push(post_id);
      this.figures.known += user_ids.length - strangers.length;
    }
    this.figures.batches += 1;
    this.figures.asked += unseen.length;
    const posts = await this.#ask(unseen, unread);
    if (looks !== undefined) {
      const durable = unseen.filter(({ post_id, user_id }) => {
        const post = posts.get(post_id);
        return post !== undefined && post.author_id !== user_id;
      });
      const notes = notesOf(looks, posts, durable);
      const unknown = [...looks].flatMap(([post_id, { is_new }]) =>
        is_new && !posts.has(post_id) ? post_id : [],
      );
      await this.#note(notes, unknown);
    }
    return batch.map((each) => answerOf(each, posts, looks));
  }

  /** Counts views and reads other posts' sums; what is not published is missing from the answer. */
  async #ask(unseen: readonly View[], unread: readonly string[]): Promise<Map<string, PostViews>> {
    const { store, clock } = this.parts;
    const told = await Promise.all([
      unseen.length === 0 ? [] : store.count(unseen, new Date(clock.now())),
      unread.length === 0 ? [] : store.read(unread),
    ]);
    return postsOf(told.flat());
  }

  async #look(asked: ReadonlyMap<string, readonly string[]>): Promise<Map<string, Look> | undefined> {
    try {
      return await this.parts.memory?.look(asked);
    } catch (error) {
      this.#passedBy(error);
      return undefined;
    }
  }

  /** @param unknown posts that Redis heard of by the question alone: it must not grow by what anybody asks. */
  async #note(notes: readonly Note[], unknown: readonly string[]): Promise<void> {
    try {
      await Promise.all([this.parts.memory?.note(notes), this.parts.memory?.forget(unknown)]);
      this.#fill(notes);
    } catch (error) {
      this.#passedBy(error);
    }
  }

  #passedBy(error: unknown): void {
    this.figures.without_redis += 1;
    this.parts.logger.debug(`views are counted without Redis: ${String(error)}`);
  }

  /** Reads back, behind everybody's answers, who has viewed the posts that Redis knew nothing of. */
  #fill(notes: readonly Note[]): void {
    for (const { post_id, look } of notes)
      if (look.is_new && this.#toFill.size < FILLS_WAITING_MAX) this.#toFill.add(post_id);
    if (!this.#isFilling) void this.#fillAll();
  }

  /** Never rejects. */
  async #fillAll(): Promise<void> {
    this.#isFilling = true;
    while (this.#toFill.size > 0) {
      const post_ids = [...this.#toFill].slice(0, FILL_POSTS);
      for (const post_id of post_ids) this.#toFill.delete(post_id);
      await this.#aside(async (memory) => {
        const looks = await memory.look(new Map(post_ids.map((post_id) => [post_id, []])));
        const viewers = await this.parts.store.viewers(post_ids, FILL_EACH_MAX);
        for (let at = 0; at < viewers.length; at += FILL_AT_ONCE)
          await memory.note(notesOf(looks, new Map(), viewers.slice(at, at + FILL_AT_ONCE)));
      });
    }
    this.#isFilling = false;
  }

  /** What is done for Redis' sake alone, and left undone where Redis or the database does not answer. */
  async #aside(work: (memory: ViewsMemory) => Promise<void>): Promise<void> {
    const { memory, logger } = this.parts;
    if (memory === undefined) return;
    await work(memory).catch((error: unknown) => {
      logger.debug(`Redis is not told of views: ${String(error)}`);
    });
  }
}

/** Who asks about each post, each once. */
function byPost(batch: readonly Asked[]): Map<string, string[]> {
  const asked = new Map<string, Set<string>>();
  for (const { user_id, post_ids } of batch)
    for (const post_id of post_ids) asked.set(post_id, (asked.get(post_id) ?? new Set()).add(user_id));
  return new Map([...asked].map(([post_id, user_ids]) => [post_id, [...user_ids]]));
}

const postsOf = (posts: readonly PostViews[]): Map<string, PostViews> =>
  new Map(posts.map((post) => [post.post_id, post]));

/** The sums of `posts`, and views that are durable. */
function notesOf(
  looks: ReadonlyMap<string, Look>,
  posts: ReadonlyMap<string, PostViews>,
  durable: readonly View[],
): Note[] {
  const views = Map.groupBy(durable, ({ post_id }) => post_id);
  return [...looks].flatMap(([post_id, look]) => {
    const [post, own] = [posts.get(post_id), views.get(post_id) ?? []];
    if (post === undefined && own.length === 0) return [];
    return [{ post_id, look, views: post?.views, user_ids: own.map(({ user_id }) => user_id) }];
  });
}

function answerOf(
  { user_id, post_ids }: Asked,
  posts: ReadonlyMap<string, PostViews>,
  looks: ReadonlyMap<string, Look> | undefined,
): Map<string, Viewed> {
  const answer = new Map<string, Viewed>();
  for (const post_id of post_ids) {
    const post = posts.get(post_id);
    const views = post?.views ?? looks?.get(post_id)?.views;
    if (views !== undefined && (post !== undefined || looks?.get(post_id)?.seen.has(user_id) === true))
      answer.set(post_id, { views, own: post?.author_id === user_id });
  }
  return answer;
}
