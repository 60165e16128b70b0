import type { KafkaMessage } from "kafkajs";
import type { EventLog, Position, RecordedEvent } from "../event-log/event-log";
import { eventOf, headOf } from "../kafka/event-record";
import type { Logger } from "../logger";
import type { FeedChoice, FeedSource, SwitchableStatus } from "./event-feed";
import type { TailInlet, TailSource } from "./feed-tail";
import { KafkaWatch, WATCH_TIMES, type WatchTimes } from "./kafka-watch";
import { LogOrder } from "./log-order";
import { LogSource } from "./log-source";

export interface KafkaSourceLimits extends WatchTimes {
  /** The log's head is compared with what Kafka has brought so often. */
  readonly look_ms: number;
  /** Events kept while one before them is missing; a few kilobytes each. Sixteen partitions' largest fetches, roughly. */
  readonly waiting_max: number;
}

export const KAFKA_SOURCE_LIMITS: KafkaSourceLimits = { ...WATCH_TIMES, look_ms: 500, waiting_max: 20_000 };

export interface KafkaSourceDeps {
  readonly log: Pick<EventLog, "head" | "onAppended" | "onCommitted" | "opened" | "lineage">;
  readonly logger: Logger;
}

/**
 * Feeds the tail from Kafka, or from the log while Kafka does not keep up. Its life:
 *
 * - *log*: the tail reads the log, as {@link LogSource} has it. What Kafka brings is put in order all the same, only to see
 *   whether Kafka keeps up. Every node begins here: a quiet topic proves nothing.
 * - *kafka*: what Kafka brings goes into the tail, wake-ups of the log do not make it read. This process's own events go in by
 *   the log's hint where they follow, and are passed over when they come by Kafka.
 *
 * Kafka takes over when it is in time; the log as soon as Kafka is late or its consumer is interrupted. A switch changes only
 * who brings events, not which: the tail takes what follows, passes over what it has, and reads the log for what is missing.
 *
 * When the log went back, what Kafka brought of it counts no more: it is judged anew, by what comes under the log's new name.
 */
export class KafkaSource implements TailSource {
  readonly #watch: KafkaWatch;
  readonly #logSource: LogSource;
  #tail: TailInlet | undefined;
  #closeInner: (() => void) | undefined;
  #looking: NodeJS.Timeout | undefined;
  #stopFollowing: (() => void) | undefined;
  /** From the first look at the log's head on. */
  #order: LogOrder | undefined;
  #head: Position = 0;
  #source: FeedSource = "log";
  #choice: FeedChoice = "auto";
  #reason: SwitchableStatus["reason"] = "starting";
  #switches = 0;
  /** What Kafka has brought goes on in its order, although unsealing takes its time. */
  #delivering: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: KafkaSourceDeps,
    poll_ms: number,
    private readonly limits: KafkaSourceLimits = KAFKA_SOURCE_LIMITS,
  ) {
    this.#watch = new KafkaWatch(limits);
    this.#logSource = new LogSource(deps.log, poll_ms);
  }

  open(tail: TailInlet): () => void {
    this.#tail = tail;
    this.#openInner(tail);
    return () => {
      this.#closeInner?.();
      this.#closeInner = undefined;
      this.#tail = undefined;
    };
  }

  /** Begins to judge Kafka. */
  start(): void {
    const look = async (): Promise<void> => {
      try {
        this.#look(await this.deps.log.head());
      } catch (error) {
        // While the log is away there is nothing that Kafka could be late with.
        this.deps.logger.debug(`event feed: the log's head is not known: ${String(error)}`);
      }
      this.#looking =
        this.#looking === undefined ? undefined : setTimeout(again, this.limits.look_ms).unref();
    };
    const again = (): void => void look();
    this.#stopFollowing = this.deps.log.lineage.onChange(() => {
      if (this.#choice === "auto") this.#turnToLog("starting");
      this.#order = undefined;
    });
    this.#looking = setTimeout(again, 0).unref();
  }

  stop(): void {
    clearTimeout(this.#looking);
    this.#looking = undefined;
    this.#stopFollowing?.();
  }

  status(): Omit<SwitchableStatus, "joined"> {
    return {
      source: this.#source,
      choice: this.#choice,
      reason: this.#reason,
      position: this.#tail?.last,
      kafka_position: this.#order?.position,
      switches: this.#switches,
    };
  }

  switchTo(choice: FeedChoice): void {
    this.#choice = choice;
    if (choice === "kafka") this.#turnToKafka();
    if (choice === "log") this.#turnToLog("chosen");
    if (choice === "auto" && this.#reason === "chosen") this.#reason = "starting";
  }

  /** Takes records of one partition, in its order; passes over those of other logs and whatever else is none of ours. */
  take(records: readonly KafkaMessage[], log: string): void {
    const order = this.#order;
    if (order === undefined) return;
    for (const record of records) {
      const head = headOf(record);
      if (head?.log !== log || !order.lacks(head.position)) continue;
      if (order.isFull) this.#giveUpWaiting(order);
      const event = this.#read(record);
      if (event?.position === head.position) order.add(event);
    }
    const released = order.release();
    const came_under = this.deps.log.lineage.generation;
    if (released.length > 0 && this.#source === "kafka")
      this.#delivering = this.#delivering.then(() => this.#deliver(released, came_under));
  }

  /** Records hold events as they are stored; what the tail has already, this process's own, needs no unsealing. */
  async #deliver(released: readonly RecordedEvent[], came_under: number): Promise<void> {
    const known = this.#tail?.last ?? 0;
    const fresh = released.filter(({ position }) => position > known);
    if (fresh.length === 0 || this.#tail === undefined || this.#source === "log") return;
    try {
      const opened = await this.deps.log.opened(fresh);
      if (came_under !== this.deps.log.lineage.generation || !this.#tail.take(opened)) this.#tail.readOn();
    } catch (error) {
      this.deps.logger.debug(`event feed: what Kafka brought is not readable yet: ${String(error)}`);
      this.#tail.readOn();
    }
  }

  /** The consumer brings nothing for a while: it has to join its group (again), or Kafka is gone. */
  interrupted(): void {
    if (this.#choice === "auto" && this.#source === "kafka") this.#turnToLog("interrupted");
    this.#watch.restart(this.#order?.position ?? 0);
  }

  #read(record: KafkaMessage): RecordedEvent | undefined {
    try {
      return eventOf(record);
    } catch (error) {
      this.deps.logger.debug(`event feed: record ${record.offset} is no event: ${String(error)}`);
      return undefined;
    }
  }

  #look(head: Position): void {
    this.#head = head;
    if (this.#order === undefined) {
      this.#order = new LogOrder(head, this.limits.waiting_max);
      this.#watch.restart(head);
    }
    const verdict = this.#watch.look(performance.now(), head, this.#order.position);
    if (verdict === "late") this.#giveUpWaiting(this.#order);
    if (verdict === "in_time" && this.#choice === "auto" && this.#source === "log") this.#turnToKafka();
  }

  /** What has not come by now is left to the log. */
  #giveUpWaiting(order: LogOrder): void {
    const relied = this.#source === "kafka";
    if (this.#choice === "auto") this.#turnToLog("late");
    order.skipTo(this.#head);
    this.#tail?.readOn();
    this.#watch.restart(order.position, relied ? "blamed" : undefined);
  }

  #turnToKafka(): void {
    this.#reason = undefined;
    this.#turnTo("kafka");
  }

  #turnToLog(reason: SwitchableStatus["reason"]): void {
    this.#reason = reason;
    this.#turnTo("log");
  }

  #turnTo(source: FeedSource): void {
    if (this.#source === source) return;
    this.#source = source;
    this.#switches += 1;
    const why = this.#reason === undefined ? "" : `: ${WHY[this.#reason]}`;
    this.deps.logger.info(
      `event feed: events come ${source === "kafka" ? "by Kafka" : "from the log"}${why}`,
    );
    if (this.#tail === undefined) return;
    this.#closeInner?.();
    this.#openInner(this.#tail);
    // What one has brought while it was the other's turn, and the other has not seen, is in the log.
    this.#tail.readOn();
  }

  #openInner(tail: TailInlet): void {
    this.#closeInner =
      this.#source === "log"
        ? this.#logSource.open(tail)
        : this.deps.log.onCommitted?.((events) => {
            tail.take(events);
          });
  }
}

const WHY: Readonly<Record<NonNullable<SwitchableStatus["reason"]>, string>> = {
  starting: "Kafka has still to bring one",
  late: "Kafka is late",
  interrupted: "Kafka's consumer is interrupted",
  chosen: "an operator wants it so",
};
