import { randomBytes, randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import { uuidv7 } from "uuidv7";
import { MemoryTagCache } from "../../../../mixins/cache-tags/memory-tag-cache";
import { GUEST, SYSTEM, type Caller, type Role } from "../../../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import { act } from "../../../../mixins/contract/implement";
import { refusalOf } from "../../../../mixins/contract/refusal";
import { LogFeed } from "../../../../mixins/event-feed/log-feed";
import { createEventLog } from "../../../../mixins/event-log/postgres-event-log";
import { metricsOf } from "../../../../mixins/metrics/metrics";
import { RedisLink } from "../../../../mixins/redis/redis-link";
import type { Runtime } from "../../../../mixins/runtime";
import { createPost } from "../../../../services/views/post.contract";
import { addView, countViews } from "../../../../services/views/views.contract";
import { createViewsService } from "../../../../services/views/views.service";
import { loadSettings } from "../../../../settings";
import { eventually } from "../../../support/eventually";
import type { TestDatabase } from "../../../support/postgres";
import { QuietLogger } from "../../../support/quiet-logger";

const person = (role: Role): Caller => ({ role, user_id: randomUUID(), branch_ids: null });

export const AUTHOR = person("technologist");
export const ADMIN = person("super_admin");
export const COOK = person("cook");
export const customer = (): Caller => person("customer");
export { GUEST, SYSTEM };

const TEXT = { title: { ru: "Печь", en: "Oven" }, body: { ru: "Четыреста градусов", en: "400 degrees" } };

/** A node that runs nothing but the room of posts and views. */
export class ViewsNode {
  now = Date.now();

  private constructor(
    readonly runtime: Runtime,
    private readonly link: RedisLink | undefined,
  ) {}

  static async start({ connection, db, pool }: TestDatabase, redis_url?: string): Promise<ViewsNode> {
    const logger = new QuietLogger();
    const log = await createEventLog({ connection, logger });
    const link = redis_url === undefined ? undefined : new RedisLink(redis_url, logger);
    const broker = new ServiceBroker({ nodeID: `test-${randomUUID()}`, logger: false, validator: false });
    const node: ViewsNode = new ViewsNode(
      {
        ...{ settings: loadSettings({}), broker, log, db, pool, cache: new MemoryTagCache() },
        feed: new LogFeed({ log, logger }),
        clock: { now: () => node.now },
        ids: { uuid: () => uuidv7(), token: () => randomBytes(16).toString("base64url") },
        ...(link === undefined ? {} : { redis: link }),
      },
      link,
    );
    broker.createService(createViewsService(node.runtime));
    await broker.start();
    if (link !== undefined)
      await eventually(() => {
        expect(link.isUp).toBe(true);
      });
    return node;
  }

  ask<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    caller: Caller = ADMIN,
  ): Promise<ResultOf<C>> {
    return act(this.runtime.broker, contract, structuredClone(params), { meta: { caller } });
  }

  /** The refusal code that a call comes to; "not refused" if none. Faults are thrown on. */
  async refusal(contract: ActionContract, params: object, caller: Caller = ADMIN): Promise<string> {
    try {
      await this.ask(contract, params as ParamsOf<ActionContract>, caller);
      return "not refused";
    } catch (error) {
      const refused = refusalOf(error);
      if (refused === undefined) throw error;
      return refused.code;
    }
  }

  /** A post of the author's; its id. */
  async post(wish: Partial<ParamsOf<typeof createPost>> = {}): Promise<string> {
    const { post } = await this.ask(createPost, { ...TEXT, status: "published", ...wish }, AUTHOR);
    return post.post_id;
  }

  /** Somebody views a post; the count that they are told. */
  async view(post_id: string, caller: Caller): Promise<number> {
    return (await this.ask(addView, { post_id }, caller)).views_count;
  }

  /** Views of a post, as the database has them. */
  async count(post_id: string): Promise<number> {
    const { items } = await this.ask(countViews, { post_ids: [post_id] });
    return items[0]?.views_count ?? Number.NaN;
  }

  /** What this node shows Prometheus. */
  async metric(name: string): Promise<number> {
    const text = await metricsOf(this.runtime.broker).render();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  }

  async stop(): Promise<void> {
    await this.runtime.broker.stop();
    await this.link?.close();
    await this.runtime.log.close();
  }
}
