import { freePort } from "./free-port";
import { firstAnswerOf, ServerProcess } from "./server-process";

/** A Redis on loopback. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly process: ServerProcess;
}

/**
 * Redis as Forno's fleet runs it: an append-only file flushed every second, and no eviction, because keys without a time
 * to live (the mirror that programs outside read) must not vanish one by one: a full Redis refuses, which is noticed.
 */
export async function redisServer(folder: string, port?: number): Promise<RedisServer> {
  const at = port ?? (await freePort());
  const settings = {
    bind: "127.0.0.1",
    port: String(at),
    dir: folder,
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    "maxmemory-policy": "noeviction",
  };
  const process = new ServerProcess({
    name: "redis",
    command: "redis-server",
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    folder,
    isReady: async () => (await firstAnswerOf(at, "PING\r\n"))?.startsWith("+PONG") === true,
  });
  return { url: `redis://127.0.0.1:${String(at)}`, port: at, process };
}
