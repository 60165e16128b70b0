import type { CommandIdentity } from "../contract/caller";
import type { CommandOutcome } from "../contract/implement";
import { UnavailableError, type Refusal } from "../contract/refusal";
import type { EventMeta, NewEvent } from "../event-log/event-log";
import { Actor, type ActorDeps } from "./actor";
import type { ActorHost, ActorInfo, ActorKind, ActorLimits } from "./actor-host";
import { registerActorHost } from "./actor-registry";

/** Bounds that suit most kinds. */
export const ACTOR_LIMITS: ActorLimits = {
  // Two thirds of a second of work at the rate that one actor was measured to reach.
  mailbox_max: 4_096,
  // Beyond some hundred commands the cost of a commit is spread thin already, and only latency grows.
  batch_max: 256,
  live_max: 5_000,
  idle_ms: 120_000,
  snapshot_every: 500,
  // While NATS is away every node decides for itself: with three at one busy actor, two of three tries are lost.
  conflict_retries: 16,
};

/** Makes the host of one kind of actor, and shows it to operators until it is stopped. */
export function createActorHost<S, C, E extends NewEvent, G>(
  deps: ActorDeps,
  kind: ActorKind<S, C, E, G>,
): ActorHost<S, C> {
  const host = new Host(deps, kind, { ...ACTOR_LIMITS, ...kind.limits });
  host.whenStopped(registerActorHost(deps.log, kind.kind, host));
  return host;
}

class Host<S, C, E extends NewEvent, G> implements ActorHost<S, C> {
  /** Those at rest stand in the order of their last use, the longest unused first. */
  readonly #live = new Map<string, Actor<S, C, E, G>>();
  readonly #sweeper: NodeJS.Timeout;
  #stopping = false;
  #unregister: (() => void) | undefined;

  constructor(
    private readonly deps: ActorDeps,
    private readonly kind: ActorKind<S, C, E, G>,
    private readonly limits: ActorLimits,
  ) {
    this.#sweeper = setInterval(
      () => {
        this.#passivateIdle();
      },
      Math.max(limits.idle_ms / 4, 10),
    ).unref();
  }

  whenStopped(unregister: () => void): void {
    this.#unregister = unregister;
  }

  tell(
    stream_id: string,
    command: C,
    identity: CommandIdentity,
    meta: EventMeta,
  ): Promise<CommandOutcome | Refusal> {
    const actor = this.#live.get(stream_id) ?? this.#admit(stream_id);
    return actor instanceof Actor && !this.#stopping
      ? actor.tell(command, identity, meta)
      : Promise.reject(this.#closed());
  }

  read<T>(stream_id: string, look: (state: S, version: number) => T): Promise<T> {
    const actor = this.#live.get(stream_id) ?? this.#admit(stream_id);
    return actor instanceof Actor && !this.#stopping ? actor.read(look) : Promise.reject(this.#closed());
  }

  list(): readonly ActorInfo[] {
    return Array.from(this.#live.values(), ({ stream_id, version, waiting, idle_ms }) => ({
      stream_id,
      version,
      waiting,
      idle_ms,
    }));
  }

  async evict(stream_id: string): Promise<boolean> {
    const actor = this.#live.get(stream_id);
    if (actor === undefined) return false;
    while (actor.busy) await actor.rest();
    this.#passivate(actor, "evicted");
    return true;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#sweeper);
    await Promise.all(Array.from(this.#live.values(), (actor) => actor.rest()));
    this.#live.clear();
    this.#unregister?.();
  }

  /** A new actor, if there is room or room can be made; undefined when all that live here are at work. */
  #admit(stream_id: string): Actor<S, C, E, G> | undefined {
    if (this.#stopping) return undefined;
    if (this.#live.size >= this.limits.live_max && !this.#makeRoom()) return undefined;
    const actor = new Actor(stream_id, this.deps, this.kind, this.limits, (resting) => {
      this.#rested(resting);
    });
    this.#live.set(stream_id, actor);
    return actor;
  }

  #makeRoom(): boolean {
    for (const actor of this.#live.values()) {
      if (actor.busy) continue;
      this.#passivate(actor, "passivated, others need the room");
      return true;
    }
    return false;
  }

  #rested(actor: Actor<S, C, E, G>): void {
    this.#live.delete(actor.stream_id);
    // Nothing was ever written there, or the state was given up after a failure: there is nothing to keep.
    if (actor.version > 0 && !this.#stopping) this.#live.set(actor.stream_id, actor);
  }

  #passivateIdle(): void {
    for (const actor of this.#live.values())
      if (!actor.busy && actor.idle_ms >= this.limits.idle_ms) this.#passivate(actor, "passivated, idle");
  }

  #passivate(actor: Actor<S, C, E, G>, why: string): void {
    if (this.#live.get(actor.stream_id) === actor) this.#live.delete(actor.stream_id);
    this.deps.logger.debug(`${String(actor)}: ${why}`);
  }

  #closed(): UnavailableError {
    return this.#stopping
      ? new UnavailableError("actor.stopping", "This node is stopping; try again in a moment.")
      : new UnavailableError(
          "actor.host_full",
          `Too many actors of kind ${this.kind.kind} are at work; try again in a moment.`,
        );
  }
}
