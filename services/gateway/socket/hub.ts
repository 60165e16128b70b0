import { setImmediate as nextTurn } from "node:timers/promises";
import { ERASED_EVENT } from "../../../mixins/erasure/erased-event";
import type { FeedHandle } from "../../../mixins/event-feed/event-feed";
import type { Position, RecordedEvent } from "../../../mixins/event-log/event-log";
import { mayBeLost } from "../../../mixins/event-log/lineage";
import { untilCaughtUp } from "../../../mixins/health/catching-up";
import type { Runtime } from "../../../mixins/runtime";
import { announcementOf } from "./announcements";
import { AudienceIndex } from "./audience-index";
import type { Client } from "./client";
import { DOORS } from "./doors";
import { frameBy } from "./entitlements";
import { Broadcast, controlFrame, type ControlType, type Frame } from "./frame";
import { History } from "./history";
import type { SocketLimits } from "./socket-limits";
import type { SocketCounters } from "./socket-metrics";

/**
 * What is handed out before the event loop gets a turn: what was written reaches the network, and requests are answered.
 * 4 000 messages take some 10 ms; what one client gets within a turn leaves in one system call.
 */
const EVENTS_PER_TURN = 64;
const MESSAGES_PER_TURN = 4_000;

/** What a client is given of a message that it missed; null: nothing. */
type FrameOf = (broadcast: Broadcast) => Frame | null;

/**
 * Turns the feed into messages for all clients of this node.
 *
 * A client is *catching up* (its own task reads the backlog or the log) or *live* (in the index, fed by the hub). It
 * becomes live in the same turn of the event loop in which it is found to have reached the hub's position, so there is
 * neither a gap nor a double between the two. The hub itself never waits for a client.
 */
export class SocketHub {
  readonly #audiences = new Map(DOORS.map(({ audience }) => [audience, new AudienceIndex()]));
  readonly #live = new Set<Client>();
  /** Those on their way to be live. */
  readonly #arriving = new Set<Client>();
  readonly #history: History;
  #position: Position = 0;
  #feed: FeedHandle | undefined;

  constructor(
    private readonly runtime: Pick<Runtime, "broker" | "clock" | "feed" | "log">,
    private readonly limits: SocketLimits,
    private readonly counters: SocketCounters,
  ) {
    this.#history = new History(runtime.log, limits, (event) => this.#broadcastOf(event));
  }

  /** Last position whose messages are on their way. */
  get position(): Position {
    return this.#position;
  }

  /** Follows the feed; resolves once the backlog is refilled from the log and the hub is level with it. */
  async start(): Promise<void> {
    const head = await this.runtime.log.head();
    const from = Math.max(0, head - this.limits.backlog_messages);
    this.#position = from;
    this.#history.begin(from);
    this.#feed = this.runtime.feed.subscribe({
      name: "sockets",
      after: from,
      onBatch: (events, through) => this.#onBatch(events, through),
      wentBack: () => this.#wentBack(),
    });
    await untilCaughtUp(this.runtime, "sockets", this.#feed, head);
  }

  async stop(): Promise<void> {
    await this.#feed?.stop();
  }

  /**
   * Lets a client in. Without `after` it hears what comes; with it, first what it missed. Once it is live it is told so
   * by `ready`; when too much was missed, by `resync_required`: it reloads by REST and goes on from the position given.
   */
  async enter(client: Client, after?: Position): Promise<void> {
    client.position = after ?? this.#position;
    this.#arriving.add(client);
    const { generation } = client;
    const canResume = after === undefined || (await this.#canResume(after));
    if (client.generation !== generation) return;
    if (!canResume) {
      this.#resync(client, "position.out_of_reach");
    } else if (after !== undefined) {
      this.counters.resumed.inc();
    }
    await this.#catchUp(client, (broadcast) => client.frameOf(broadcast));
  }

  /** Applies a change of what a client hears, between two messages; it hears the new things from here on. */
  change(client: Client, change: () => void): void {
    const wasLive = this.#detach(client);
    change();
    if (wasLive) this.#attach(client);
  }

  /**
   * Applies a change of who a client is. With `after`, it is given what the new one was sent since then and the old one
   * was not; what the old one was shown in a poorer form does not come twice. Then it goes on where the old one stood.
   */
  async reenter(client: Client, after: Position | undefined, change: () => void): Promise<void> {
    const wasLive = this.#detach(client);
    this.#arriving.add(client);
    if (wasLive) client.position = Math.max(client.position, this.#position);
    const { audience, position: through } = client;
    const entitlements = new Map(client.entitlements);
    const generation = ++client.generation;
    change();
    const canResume = after !== undefined && after < through && (await this.#canResume(after));
    if (client.generation !== generation) return;
    if (canResume) client.position = after;
    await this.#catchUp(client, (broadcast) => {
      const wasShown = broadcast.position <= through && frameBy(entitlements, audience, broadcast) !== null;
      return wasShown ? null : client.frameOf(broadcast);
    });
  }

  /** Forgets a client whose connection has ended. */
  leave(client: Client): void {
    this.#detach(client);
    this.#arriving.delete(client);
    client.generation++;
    client.gone();
  }

  /** Says something about the connection. */
  tell(client: Client, type: ControlType, data: object): void {
    client.send(controlFrame(type, data, this.runtime.clock.now(), client.resumes_at));
  }

  async #onBatch(events: readonly RecordedEvent[], through: Position): Promise<void> {
    const { counters } = this;
    let turn = { events: 0, sent: counters.messages_sent };
    for (const event of events) {
      // A feed may deliver a batch again.
      if (event.position <= this.#position) continue;
      this.#announce(event);
      this.#position = event.position;
      // What was sent may name whom nobody knows any more; who missed it gets it from the log, without.
      if (event.type === ERASED_EVENT) this.#history.begin(event.position);
      turn.events++;
      if (turn.events < EVENTS_PER_TURN && counters.messages_sent - turn.sent < MESSAGES_PER_TURN) continue;
      await nextTurn();
      turn = { events: 0, sent: counters.messages_sent };
    }
    this.#position = Math.max(this.#position, through);
  }

  #announce(event: RecordedEvent): void {
    const broadcast = this.#broadcastOf(event);
    if (broadcast === undefined) return;
    this.#history.add(broadcast);
    for (const audience of broadcast.announcement.audiences) {
      try {
        this.#audiences.get(audience)?.deliver(broadcast);
      } catch (error) {
        this.#defect(event, error);
      }
    }
  }

  #broadcastOf(event: RecordedEvent): Broadcast | undefined {
    try {
      const announcement = announcementOf(event);
      return (
        announcement && new Broadcast(announcement, event, () => this.counters.messages_serialised.inc())
      );
    } catch (error) {
      this.#defect(event, error);
      return undefined;
    }
  }

  /** One message that cannot be made is our fault and costs nobody the others. */
  #defect(event: Pick<RecordedEvent, "type" | "position">, error: unknown): void {
    this.counters.defects.inc();
    this.runtime.broker.logger.error(`sockets: no message of ${event.type} at ${event.position}`, error);
  }

  /**
   * What clients were told of lost events cannot be taken back one by one: each is told to load anew, and goes on from here. Those
   * who come back later with a position that was taken back are told so too.
   */
  async #wentBack(): Promise<Position> {
    const head = await this.runtime.log.head();
    this.#position = head;
    this.#history.begin(head);
    for (const client of [...this.#live, ...this.#arriving]) {
      // Ends a catching-up under way.
      client.generation++;
      this.#detach(client);
      this.#resync(client, "log.went_back");
      this.#attach(client);
      this.tell(client, "ready", {});
    }
    return head;
  }

  #resync(client: Client, reason: "position.out_of_reach" | "log.went_back"): void {
    this.counters.resync_required.inc();
    client.position = this.#position;
    this.tell(client, "resync_required", { reason });
  }

  async #canResume(after: Position): Promise<boolean> {
    if (mayBeLost(this.runtime.log.lineage, after)) return false;
    if (after <= this.#position) return this.#position - after <= this.limits.resume_events_max;
    // Ahead of this node, which may lag; ahead of the log itself only if that was put back to an older state.
    return after <= (await this.runtime.log.head());
  }

  async #catchUp(client: Client, frameOf: FrameOf): Promise<void> {
    const { generation } = client;
    const isOver = (): boolean => client.closed || client.generation !== generation;
    while (!isOver() && client.position < this.#position) {
      const missed = await this.#history.after(client.position, this.#position, client.audience);
      if (isOver()) return;
      if (missed === undefined) {
        this.#resync(client, "position.out_of_reach");
        break;
      }
      for (const broadcast of missed.broadcasts) {
        if (client.half_full) await client.drained();
        if (isOver()) return;
        this.#offer(client, broadcast, frameOf);
      }
      client.position = missed.through;
      await client.drained();
    }
    if (isOver()) return;
    this.#attach(client);
    this.tell(client, "ready", {});
  }

  #offer(client: Client, broadcast: Broadcast, frameOf: FrameOf): void {
    try {
      const frame = frameOf(broadcast);
      if (frame === null) return;
      client.send(frame);
      client.position = broadcast.position;
    } catch (error) {
      this.#defect({ type: broadcast.announcement.type, position: broadcast.position }, error);
    }
  }

  #attach(client: Client): void {
    this.#arriving.delete(client);
    this.#audiences.get(client.audience)?.add(client);
    this.#live.add(client);
    client.feeder = this;
  }

  #detach(client: Client): boolean {
    if (!this.#live.delete(client)) return false;
    client.feeder = undefined;
    this.#audiences.get(client.audience)?.remove(client);
    return true;
  }
}
