import type { EventLog, Position, RecordedEvent } from "../../../mixins/event-log/event-log";
import { Backlog } from "./backlog";
import type { Audience } from "./doors";
import type { Broadcast } from "./frame";
import { Gate } from "./gate";
import type { SocketLimits } from "./socket-limits";

/** Messages, or events of the log, that a client catching up is given before it has to have taken them. */
const PAGE = 256;

/** Messages that a client missed, and up to where. */
interface Missed {
  readonly broadcasts: readonly Broadcast[];
  readonly through: Position;
}

/** What was announced before: the newest from memory, older things from the log. */
export class History {
  /** Apart, so that a crowd in the shop that comes back keeps no kitchen waiting. */
  readonly #gates: { readonly shop: Gate; readonly work: Gate };
  #backlog: Backlog;

  constructor(
    private readonly log: Pick<EventLog, "readAll">,
    private readonly limits: Pick<SocketLimits, "backlog_messages" | "catching_up_max">,
    private readonly broadcastOf: (event: RecordedEvent) => Broadcast | undefined,
  ) {
    const { catching_up_max } = limits;
    this.#gates = { shop: new Gate(catching_up_max), work: new Gate(catching_up_max) };
    this.#backlog = new Backlog(limits.backlog_messages, 0);
  }

  /** Everything after this position will be added. */
  begin(start: Position): void {
    this.#backlog = new Backlog(this.limits.backlog_messages, start);
  }

  add(broadcast: Broadcast): void {
    this.#backlog.add(broadcast);
  }

  /** A page of what came after `position`, where the hub has come to `reached`; undefined when the log has it no more. */
  async after(position: Position, reached: Position, audience: Audience): Promise<Missed | undefined> {
    const kept = this.#backlog.after(position, PAGE);
    if (kept !== undefined) {
      const last = kept.at(-1);
      return { broadcasts: kept, through: kept.length < PAGE || !last ? reached : last.position };
    }
    const gate = this.#gates[audience === "shop" ? "shop" : "work"];
    const events = await gate.through(() => this.log.readAll(position, PAGE));
    const [first] = events;
    if (first === undefined || first.position !== position + 1) return undefined;
    const broadcasts = events.map((event) => this.broadcastOf(event)).filter((made) => made !== undefined);
    return { broadcasts, through: events.at(-1)?.position ?? position };
  }
}
