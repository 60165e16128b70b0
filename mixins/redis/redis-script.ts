import { createHash } from "node:crypto";
import type Redis from "ioredis";

/** A Lua script that Redis runs as one step. Sent by its digest; in full to a server that does not know it yet. */
export class RedisScript {
  readonly #digest: string;

  constructor(private readonly source: string) {
    this.#digest = createHash("sha1").update(source).digest("hex");
  }

  /** @throws whatever the client throws. */
  async run(client: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await client.evalsha(this.#digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return client.eval(this.source, keys.length, ...keys, ...args);
    }
  }
}
