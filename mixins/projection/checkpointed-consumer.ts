import { setTimeout as pause } from "node:timers/promises";
import { UnavailableError } from "../contract/refusal";
import type { FeedHandle } from "../event-feed/event-feed";
import { PositionGate } from "../event-feed/position-gate";
import type { Position, RecordedEvent } from "../event-log/event-log";
import { BEGINNING, markOf, type LogMark } from "../event-log/lineage";
import { Checkpoint, FencedError } from "./checkpoint";
import { claimsOf, type Claimant, type Claims, type Sight } from "./claims";
import {
  CONSUMER_TIMES,
  type ConsumerDeps,
  type ConsumerState,
  type ConsumerTimes,
  type ConsumerWork,
} from "./consumer";

/** Events without interest after which the checkpoint is written without waiting for `lazy_ms`. */
const LAZY_EVENTS_MAX = 5_000;
const HEAL_AGAIN_FIRST_MS = 100;
const HEAL_AGAIN_MAX_MS = 5_000;

/**
 * Follows the feed from a checkpoint and moves it. Its life:
 *
 * - *working*: batches come, events of interest that lie beyond the checkpoint are handled, the checkpoint moves with them.
 * - *standby*: another host holds the claim (see {@link Claims}), or has moved the checkpoint, so that one is at work. This
 *   one only watches, and its position follows the other's, until the claim is free: then it works from the checkpoint on. It
 *   does so too, without the claim, when the checkpoint stands still although there is work: who holds the claim hangs.
 * - *healing*: this host has the claim, and the checkpoint stands at an event that the log does not hold: the log went back, and the
 *   checkpoint did not. What was made of the lost events is made good first; who waits for a position waits for that.
 * - *stopped*: the checkpoint is written and the claim given back, so that another host goes on at once.
 *
 * The claim says who works. That nothing is handled twice, and nothing that the log does not hold, is the checkpoint's doing: it moves
 * only from where it is known to be, over events that are there. Whenever the log went back, or the checkpoint may have, a consumer
 * at work stands by and takes the checkpoint up as it is.
 */
export class CheckpointedConsumer {
  #state: ConsumerState = "working";
  #subscription: FeedHandle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Since when the checkpoint of the host at work was seen to stand although there is work. */
  #still_since: number | undefined;
  /** At work without the claim, whose holder hangs. */
  #forced = false;
  #seeing = false;
  #begun = false;
  /** The event up to which everything was handled or passed over. */
  #seen: LogMark = BEGINNING;
  readonly #stopping = new AbortController();
  readonly #forgetDoubts: () => void;
  readonly #claims: Claims;
  readonly #claimant: Claimant;
  readonly #gate: PositionGate;
  readonly #handles: ReadonlySet<string>;

  private constructor(
    private readonly deps: ConsumerDeps,
    private readonly work: ConsumerWork,
    private readonly checkpoint: Checkpoint,
    private readonly times: ConsumerTimes,
  ) {
    this.#handles = new Set(work.handles);
    this.#claims = claimsOf(deps);
    this.#forgetDoubts = deps.log.lineage.onDoubt(() => {
      this.#doubt();
    });
    this.#claimant = {
      name: work.name,
      look_ms: times.standby_ms,
      saw: (sight) => {
        this.#saw(sight);
      },
    };
    this.#gate = new PositionGate(
      checkpoint.position,
      (current, wanted) =>
        new UnavailableError(
          "projection.behind",
          `${work.name} is at ${String(current)}, not yet at ${String(wanted)}; try again.`,
        ),
    );
  }

  static async start(
    deps: ConsumerDeps,
    work: ConsumerWork,
    times: ConsumerTimes = CONSUMER_TIMES,
  ): Promise<CheckpointedConsumer> {
    const consumer = new CheckpointedConsumer(deps, work, await Checkpoint.load(deps.pool, work.name), times);
    try {
      await consumer.#begin();
      return consumer;
    } catch (error) {
      consumer.#forgetDoubts();
      throw error;
    }
  }

  get name(): string {
    return this.work.name;
  }

  get position(): Position {
    return this.#gate.position;
  }

  get state(): ConsumerState {
    return this.#state;
  }

  reached(position: Position, timeout_ms: number): Promise<void> {
    const reached = this.#gate.reached(position, timeout_ms);
    if (this.#isStandingBy() && position > this.position) this.#claims.hurry(reached);
    return reached;
  }

  /** Runs `work` between two batches; afterwards goes on from the checkpoint as `work` has left it. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      try {
        return await work();
      } finally {
        await this.checkpoint.reload(this.deps.pool);
        // Never behind what the feed has delivered: those events would not come again.
        if (this.checkpoint.position > this.position) this.#gate.moveTo(this.checkpoint.position);
      }
    });
  }

  /** Finishes the batch under way, writes the checkpoint, and lets another host go on. */
  async stop(): Promise<void> {
    const wasWorking = this.#state === "working";
    this.#state = "stopped";
    this.#stopping.abort();
    this.#forgetDoubts();
    clearTimeout(this.#timer);
    await this.#subscription?.stop();
    if (wasWorking)
      await this.#inTurn(() => this.#writeLazily()).catch((error: unknown) => {
        this.#complain("did not write its checkpoint", error);
      });
    await this.#claims.leave(this.#claimant).catch((error: unknown) => {
      this.#complain("did not give its claim back", error);
    });
    this.#gate.fail(
      new UnavailableError("projection.stopped", `${this.name} has stopped; try again in a moment.`),
    );
  }

  async #begin(): Promise<void> {
    const held = await this.#claims.enter(this.#claimant);
    await this.checkpoint.reload(this.deps.pool);
    this.#begun = true;
    if (held) this.#goOn();
    else this.#yield(OTHER_HOST);
  }

  /** From the checkpoint on, as it was just loaded. */
  #goOn(): void {
    if (this.checkpoint.diverged) {
      this.#state = "healing";
      this.#gate.moveTo(0);
      void this.#heal();
      return;
    }
    this.#state = "working";
    this.#seen = this.checkpoint.mark;
    this.#gate.moveTo(this.checkpoint.position);
    const subscription = this.deps.feed.subscribe({
      name: this.name,
      after: this.position,
      onBatch: (events, through) =>
        this.#inTurn(async () => {
          // One that was left behind may still bring a batch, which does not follow what this one has handled.
          if (this.#subscription === subscription) await this.#onBatch(events, through);
        }),
      wentBack: () => {
        if (this.#state === "working") this.#yield(WENT_BACK);
        return Promise.resolve(0);
      },
    });
    this.#subscription = subscription;
  }

  async #heal(): Promise<void> {
    const { signal } = this.#stopping;
    const isHealing = (): boolean => this.#state === "healing";
    this.deps.logger.warn(
      `${this.name}: its checkpoint stands at ${String(this.checkpoint.position)}, at an event that the log does not hold; what was made of lost events is made good`,
    );
    for (
      let pause_ms = HEAL_AGAIN_FIRST_MS;
      isHealing();
      pause_ms = Math.min(2 * pause_ms, HEAL_AGAIN_MAX_MS)
    ) {
      try {
        await this.work.heal({ checkpoint: this.checkpoint, stopping: signal, consumer: this });
        await this.#inTurn(async () => {
          await this.checkpoint.reload(this.deps.pool);
          if (!isHealing() || this.checkpoint.diverged) return;
          this.#takeOver("it is healed");
        });
      } catch (error) {
        if (!isHealing()) return;
        this.#complain("could not be healed, will try again", error);
        await pause(pause_ms, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  /** The database may have lost its last moments, checkpoints too: looks whether this one is where it was. */
  #doubt(): void {
    if (!this.#begun || this.#state !== "working") return;
    this.#inTurn(async () => {
      if (this.#state !== "working") return;
      const found = await this.checkpoint.reload(this.deps.pool);
      if (this.#isWorking() && (found === "elsewhere" || this.checkpoint.diverged)) this.#yield(WENT_BACK);
    }).catch((error: unknown) => {
      this.#complain("could not look at its checkpoint", error);
      if (this.#isWorking()) this.#yield(WENT_BACK);
    });
  }

  async #onBatch(events: readonly RecordedEvent[], through: Position): Promise<void> {
    if (this.#state !== "working" || through <= this.position) return;
    const to = markThrough(events, through);
    const wanted = events.filter(
      (event) => this.#handles.has(event.type) && event.position > this.checkpoint.position,
    );
    try {
      if (wanted.length > 0) {
        await this.work.handle(wanted, (client) => this.checkpoint.move(client, to, this.#seen));
        this.checkpoint.moved(to);
      }
      this.#seen = to;
      this.#gate.moveTo(through);
      if (through - this.checkpoint.position >= LAZY_EVENTS_MAX) await this.#writeLazily();
      else if (through > this.checkpoint.position) this.#writeSoon();
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      this.#fenced();
    }
  }

  #fenced(): void {
    // Not by another host, then by the log, of which more is to be known.
    void this.deps.log.lineage.look(this.#seen);
    this.#yield(OTHER_HOST);
  }

  /** Writes a checkpoint that has only passed events without interest. */
  async #writeLazily(): Promise<void> {
    const seen = this.#seen;
    if (seen.position <= this.checkpoint.position) return;
    await this.checkpoint.move(this.deps.pool, seen);
    this.checkpoint.moved(seen);
  }

  #writeSoon(): void {
    this.#timer ??= this.#later(this.times.lazy_ms, async () => {
      if (this.#state === "working") await this.#writeLazily();
    });
  }

  #stepBack(): void {
    // Not awaited: it would wait for the very batch that is in hand.
    this.#subscription?.stop().catch((error: unknown) => {
      this.#complain("did not unsubscribe", error);
    });
    this.#subscription = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#forced = false;
    this.#still_since = undefined;
    if (this.#state === "stopped") return;
    this.#state = "standby";
    this.#claims.giveUp(this.#claimant).catch((error: unknown) => {
      this.#complain("did not give its claim back", error);
    });
  }

  /** What was seen is taken up between two batches; what is seen meanwhile is seen again. */
  #saw(sight: Sight): void {
    if (this.#seeing || !this.#begun) return;
    this.#seeing = true;
    this.#inTurn(() => this.#takeUp(sight))
      .catch((error: unknown) => {
        this.#complain("will try again", error);
        if (this.#isStandingBy()) this.#stepBack();
      })
      .finally(() => (this.#seeing = false));
  }

  async #takeUp({ held, checkpoint, head }: Sight): Promise<void> {
    if (this.#state === "working") {
      if (held) this.#forced = false;
      else if (!this.#forced) this.#yield(OTHER_HOST);
      return;
    }
    if (this.#state !== "standby") return;
    const before = this.position;
    const now = performance.now();
    this.#still_since = checkpoint !== before || checkpoint >= head ? undefined : (this.#still_since ?? now);
    const forced = !held && now - (this.#still_since ?? now) >= this.times.still_ms_max;
    if (!held && !forced) {
      this.#gate.moveTo(checkpoint);
      return;
    }
    await this.checkpoint.reload(this.deps.pool);
    const { position } = this.checkpoint;
    if (!this.#isStandingBy()) return;
    this.#forced = forced;
    if (forced) this.#takeOver("the host whose it is stands still");
    else
      this.#takeOver(position < before ? "the database has lost its last moments" : "it falls to this host");
  }

  #takeOver(why: string): void {
    this.deps.logger.info(`${this.name}: ${why}, going on from ${String(this.checkpoint.position)}`);
    this.#still_since = undefined;
    this.#goOn();
  }

  #yield(why: string): void {
    this.deps.logger.info(`${this.name}: ${why}, standing by`);
    this.#stepBack();
  }

  #isWorking(): boolean {
    return this.#state === "working";
  }

  #isStandingBy(): boolean {
    return this.#state === "standby";
  }

  #later(ms: number, work: () => Promise<void>): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      this.#inTurn(work).catch((error: unknown) => {
        if (error instanceof FencedError) this.#fenced();
        else this.#complain("will try again", error);
      });
    }, ms).unref();
  }

  /** One thing after another: batches, lazy writing, standing by, swaps. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #complain(what: string, error: unknown): void {
    this.deps.logger.warn(`${this.name} ${what}: ${String(error)}`);
  }
}

const OTHER_HOST = "another host is at work";
const WENT_BACK = "the log or this checkpoint may have gone back";

/** The mark of a batch's end. */
function markThrough(events: readonly RecordedEvent[], through: Position): LogMark {
  const last = events.at(-1);
  return last?.position === through
    ? markOf(last)
    : { position: through, event_id: undefined, recorded_at: undefined };
}
