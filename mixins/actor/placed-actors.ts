import { setTimeout as pause } from "node:timers/promises";
import { Type } from "@sinclair/typebox";
import type { ActionSchema } from "moleculer";
import type { CommandIdentity, Ctx } from "../contract/caller";
import { contract } from "../contract/contract";
import { eventMetaOf } from "../contract/event-meta";
import { act, commandOf, implement, type CommandOutcome } from "../contract/implement";
import type { Refusal } from "../contract/refusal";
import { strictObject } from "../contract/schemas";
import type { EventMeta } from "../event-log/event-log";
import type { Runtime } from "../runtime";
import { fleetNodesOf, type FleetNodes } from "../transport/fleet-nodes";
import { isUnreached, isWithoutLog } from "../transport/unreached";
import type { ActorHost } from "./actor-host";
import { placementsOf, type Tally } from "./placements";
import { ranked } from "./rendezvous";

/** A node that answers but cannot reach the log is passed over for so long: asking it again costs its callers seconds. */
const WITHOUT_LOG_MS = 5_000;
/** This node's own log has to answer within this to be worth a try in the owner's place. */
const OWN_LOG_MS_MAX = 250;

/** How actors of one kind are told through another node. */
export interface PlacedKind {
  /** The internal action under which each node's host is told, `room.tell_…`; hosted where the actors may live. */
  readonly action: string;
  /** How their stream ids begin. */
  readonly streams: string;
  /** The room that its events name where no person asked. */
  readonly room: string;
}

/**
 * Tells actors where they live: each stream has one node among those that host its kind (rendezvous hashing), so that its
 * state is in memory once and its commands are decided in batches. That is an optimisation. Two nodes that both think they
 * own an actor are kept apart by the version check of the log, so when the owner does not answer, the next in order decides,
 * and at last this node itself; also when NATS is away. An owner that answers but has lost the way to the log is replaced by
 * this node, if this node has one.
 *
 * A command that is sent to a second node may have been done by the first. It keeps its id and loses `fresh`, so that the log
 * and {@link firstAnswer} are asked for its first answer.
 */
export class PlacedActors<C> {
  readonly #fleet: FleetNodes;
  readonly #tally: Tally;
  readonly #contract;

  constructor(
    private readonly runtime: Pick<Runtime, "broker" | "log">,
    private readonly host: Pick<ActorHost<never, C>, "tell">,
    private readonly kind: PlacedKind,
  ) {
    const { broker } = runtime;
    this.#fleet = fleetNodesOf(broker);
    const placements = placementsOf(broker);
    placements.add({ streams: kind.streams, where: (stream_id) => this.where(stream_id) });
    this.#tally = placements.tally;
    this.#contract = tellContract(kind.action);
  }

  /** The action that other nodes send their commands to; its name is {@link PlacedKind.action}. */
  action(): ActionSchema {
    return implement(this.#contract, async ({ params }) => {
      const { stream_id, command, identity, meta } = params;
      return { outcome: await this.host.tell(stream_id, command as C, identity, meta) };
    });
  }

  /** Nodes that may have an actor, in the order in which they are asked; suspects too. */
  where(stream_id: string): readonly string[] {
    return ranked(stream_id, this.#fleet.hosts(this.kind.action));
  }

  /** Tells an actor to do something, in the name of the caller and command of a call. */
  async tell(ctx: Ctx<unknown>, stream_id: string, command: C): Promise<CommandOutcome | Refusal> {
    const meta = eventMetaOf(ctx, this.kind.room);
    for (const node_id of this.#others(stream_id)) {
      try {
        const outcome = await this.#tellRemotely(node_id, {
          stream_id,
          command,
          identity: commandOf(ctx),
          meta,
        });
        this.#tally.remotely += 1;
        return outcome;
      } catch (error) {
        const withoutLog = isWithoutLog(error) && (await this.#logAnswers());
        if (!withoutLog && !isUnreached(error)) throw error;
        const { id, fingerprint } = commandOf(ctx);
        ctx.meta.command = { id, fingerprint };
        this.#tally.failed_over += 1;
        if (!withoutLog) continue;
        this.#fleet.suspect(node_id, WITHOUT_LOG_MS);
        break;
      }
    }
    this.#tally.locally += 1;
    return this.host.tell(stream_id, command, commandOf(ctx), meta);
  }

  /** Those to be asked before this node decides by itself. */
  *#others(stream_id: string): Iterable<string> {
    const { self } = this.#fleet;
    const hosts = this.#fleet.hosts(this.kind.action);
    if (hosts.length <= 1 && (hosts[0] ?? self) === self) return;
    for (const node_id of ranked(stream_id, hosts)) {
      if (node_id === self) return;
      // Asked at each turn: the node before may have taken others down with it.
      if (!this.#fleet.isSuspect(node_id)) yield node_id;
    }
  }

  /** Whether this node reaches the log, also when that of another does not. */
  #logAnswers(): Promise<boolean> {
    const late = pause(OWN_LOG_MS_MAX, false, { ref: false });
    const answers = this.runtime.log.head().then(
      () => true,
      () => false,
    );
    return Promise.race([answers, late]);
  }

  async #tellRemotely(node_id: string, told: Told): Promise<CommandOutcome | Refusal> {
    const { outcome } = await act(this.runtime.broker, this.#contract, told, { nodeID: node_id });
    return outcome;
  }
}

/** A command on its way to the node that has its actor. */
interface Told {
  readonly stream_id: string;
  readonly command: unknown;
  readonly identity: CommandIdentity;
  readonly meta: EventMeta;
}

function tellContract(name: string) {
  return contract({
    name,
    summary: "Tell an actor of this node",
    kind: "command",
    permission: "internal",
    params: strictObject({
      stream_id: Type.String({ minLength: 1 }),
      command: Type.Unknown(),
      identity: Type.Unsafe<CommandIdentity>(Type.Object({ id: Type.String(), fingerprint: Type.String() })),
      meta: Type.Unsafe<EventMeta>(Type.Object({})),
    }),
    result: Type.Object({ outcome: Type.Unsafe<CommandOutcome | Refusal>(Type.Object({})) }),
  });
}
