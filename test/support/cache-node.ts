import { randomUUID } from "node:crypto";
import { CHANNEL_TIMES, type ChannelTimes } from "../../mixins/cache-tags/invalidation-channel";
import { RedisTagCache } from "../../mixins/cache-tags/redis-tag-cache";
import { RedisLink } from "../../mixins/redis/redis-link";
import { eventually } from "./eventually";
import { QuietLogger } from "./quiet-logger";
import { TcpProxy } from "./tcp-proxy";

/** The epoch of a Redis that was just started is old enough at once, so that acknowledgements count from the first. */
export const TEST_TIMES: ChannelTimes = { ...CHANNEL_TIMES, join_every_ms: 50, membership_ms: 400 };

/** A node's cache, with a network of its own to Redis. */
export class CacheNode {
  readonly logger = new QuietLogger();

  private constructor(
    readonly proxy: TcpProxy,
    readonly link: RedisLink,
    readonly cache: RedisTagCache,
  ) {}

  static async start(
    redis_port: number,
    options: { namespace?: string; times?: ChannelTimes } = {},
  ): Promise<CacheNode> {
    const proxy = new TcpProxy(redis_port);
    const port = await proxy.start();
    const logger = new QuietLogger();
    const link = new RedisLink(`redis://127.0.0.1:${String(port)}`, logger);
    const cache = new RedisTagCache(link, {
      ...{ namespace: "test", node: `node-${randomUUID()}`, logger, times: TEST_TIMES },
      ...options,
    });
    return new CacheNode(proxy, link, cache);
  }

  /** Until its first level serves. */
  async ready(): Promise<this> {
    const key = `ready:${randomUUID()}`;
    await eventually(async () => {
      await this.cache.set(key, 1, { ttl_s: 1 });
      if ((await this.cache.status()).first_level_entries === 0) await this.cache.get(key);
      expect((await this.cache.status()).first_level_entries).toBeGreaterThan(0);
    });
    return this;
  }

  async stop(): Promise<void> {
    this.proxy.resume();
    await this.cache.close();
    await this.link.close();
    await this.proxy.stop();
  }
}
