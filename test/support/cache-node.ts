import { randomUUID } from "node:crypto";
import { CHANNEL_TIMES, type ChannelTimes } from "../../mixins/cache-tags/invalidation-channel";
import { RedisTagCache } from "../../mixins/cache-tags/redis-tag-cache";
import { RedisLink, type RedisPatience } from "../../mixins/redis/redis-link";
import { eventually } from "./eventually";
import { QuietLogger } from "./quiet-logger";
import { TcpProxy } from "./tcp-proxy";

/** The epoch of a Redis that was just started is old enough at once, so that acknowledgements count from the first. */
export const TEST_TIMES: ChannelTimes = { ...CHANNEL_TIMES, join_every_ms: 50, membership_ms: 400 };

/** For what is not about time: nothing is given up because this machine is busy with other things. */
export const PATIENT = {
  patience: { command_ms: 20_000, passing_ms: 10_000 },
  times: { ...TEST_TIMES, lease_ms: 2_500, membership_ms: 5_000 },
} as const;

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
    { patience, ...options }: { namespace?: string; times?: ChannelTimes; patience?: RedisPatience } = {},
  ): Promise<CacheNode> {
    const proxy = new TcpProxy(redis_port);
    const port = await proxy.start();
    const logger = new QuietLogger();
    const link = new RedisLink(`redis://127.0.0.1:${String(port)}`, logger, patience);
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
