import type { Redis } from "ioredis";
import type { Position } from "../../mixins/event-log/event-log";
import type { Clock } from "../../mixins/runtime";
import { MARKER_KEY, MENU_KEY, SLOT_CONFIG_KEY, type KeyWrite, type Message } from "./mirror.keys";
import { FINISH, STEP, WRITE_KEYS } from "./mirror.scripts";

/** Keys in one script: about half a megabyte of orders, during which Redis serves nobody else; under 2 ms. */
const WRITES_PER_SCRIPT = 200;
const SCAN_COUNT = 1_000;

const STATES = ["rebuilding", "following", "purging"] as const;
export type MirrorState = (typeof STATES)[number];

/**
 * How far the mirror is, kept beside the data, so that both are lost together.
 *
 * - *rebuilding*: some keys may be missing or old; no message goes out.
 * - *following*: the keys hold everything up to `position`, and its messages have gone out.
 * - *purging*: what is there belongs to another log and is being removed.
 */
export interface Marker {
  /** Names one rebuild and what followed it. */
  readonly generation: string;
  readonly state: MirrorState;
  readonly position: Position;
  /** Name of the event at `position`, its id and time, where known: tells another log, or another past, from this one. */
  readonly event_id: string;
}

/** One step along the log. */
export interface Step {
  readonly after: Position;
  readonly through: Position;
  readonly event_id: string;
  readonly writes: readonly KeyWrite[];
  readonly messages: readonly Message[];
}

/** Redis no longer holds what this node had written: it was flushed, came back older, or another node rebuilds it. */
export class MirrorLostError extends Error {}

/** The mirror in Redis. Every write names the generation that it continues. */
export class MirrorStore {
  /** Since the start of this process. */
  keys_written = 0;
  messages_sent = 0;

  constructor(
    private readonly redis: Redis,
    /** What keys' ends are meant by; that of Redis may differ. */
    private readonly clock: Clock,
  ) {}

  /** Undefined when there is none, or what is there is not ours. */
  async marker(): Promise<Marker | undefined> {
    const fields = await this.redis.hgetall(MARKER_KEY).catch((error: unknown) => {
      if (String(error).includes("WRONGTYPE")) return {};
      throw error;
    });
    const { generation, position, event_id = "", ...found } = fields as Partial<Record<string, string>>;
    const state = STATES.find((one) => one === found["state"]);
    if (generation === undefined || state === undefined) return undefined;
    return { generation, state, position: Number(position), event_id };
  }

  /** From here on only this generation writes. */
  async begin(generation: string): Promise<void> {
    const fields = { generation, state: "rebuilding", position: "0", event_id: "" };
    const replies = await this.redis.multi().del(MARKER_KEY).hset(MARKER_KEY, fields).exec();
    for (const [error] of replies ?? []) if (error !== null) throw error;
  }

  /** Writes during a rebuild. @throws MirrorLostError */
  async fill(generation: string, writes: readonly KeyWrite[]): Promise<void> {
    await this.#write(generation, "rebuilding", writes);
  }

  /** Ends a rebuild. @throws MirrorLostError */
  async finish(generation: string, position: Position, event_id: string): Promise<void> {
    await this.#run(FINISH, [generation, "rebuilding", position, event_id]);
  }

  /**
   * Writes, publishes and moves the marker, all at once; where the writes are too many for one script, the first of them a
   * moment before.
   * @throws MirrorLostError
   */
  async step(generation: string, { after, through, event_id, writes, messages }: Step): Promise<void> {
    const early = Math.max(0, writes.length - WRITES_PER_SCRIPT);
    await this.#write(generation, "following", writes.slice(0, early));
    const rest = writes.slice(early);
    const at = await this.#run(STEP, [
      ...[generation, "following", this.clock.now(), after, through, event_id, rest.length],
      ...rest.flatMap(argumentsOf),
      ...messages.flatMap(({ channel, text, position }) => [channel, text, position]),
    ]);
    if (at < through)
      throw new MirrorLostError(`Redis has gone back to position ${String(at)}, from ${String(after)}.`);
    this.messages_sent += messages.length;
  }

  /** Removes everything that the mirror has ever written, marker last. For a Redis that mirrored another log. */
  async purge(): Promise<void> {
    // Broken off, it is begun again.
    await this.redis.hset(MARKER_KEY, "state", "purging" satisfies MirrorState);
    for (const [pattern, ours] of OURS) {
      let cursor = "0";
      do {
        const [next, keys] = await this.redis.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
        const gone = keys.filter((key) => ours.test(key));
        if (gone.length > 0) await this.redis.unlink(...gone);
        cursor = next;
      } while (cursor !== "0");
    }
    await this.redis.unlink(SLOT_CONFIG_KEY, MENU_KEY);
    await this.redis.unlink(MARKER_KEY);
  }

  async #write(generation: string, state: MirrorState, writes: readonly KeyWrite[]): Promise<void> {
    for (let at = 0; at < writes.length; at += WRITES_PER_SCRIPT) {
      const some = writes.slice(at, at + WRITES_PER_SCRIPT);
      await this.#run(WRITE_KEYS, [generation, state, this.clock.now(), ...some.flatMap(argumentsOf)]);
    }
  }

  async #run(script: string, args: readonly (string | number)[]): Promise<number> {
    const [answer, written] = (await this.redis.eval(script, 1, MARKER_KEY, ...args)) as [number, number];
    if (answer === -1) throw new MirrorLostError("Redis was flushed, or another node rebuilds the mirror.");
    this.keys_written += written;
    return answer;
  }
}

const UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const OURS: readonly (readonly [string, RegExp])[] = [
  ["order:*", new RegExp(`^order:${UUID}(:status)?$`)],
  ["slot:*", new RegExp(`^slot:${UUID}_\\d{8}T\\d{4}Z$`)],
];

function argumentsOf({ key, field, guard, value, expires_at_ms, beside }: KeyWrite): (string | number)[] {
  return [key, field ?? "", guard, value, expires_at_ms ?? "", beside?.key ?? "", beside?.value ?? ""];
}
