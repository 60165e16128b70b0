import { UnavailableError } from "../contract/refusal";
import type { FeedHandle } from "../event-feed/event-feed";
import { PositionGate } from "../event-feed/position-gate";
import type { Position, RecordedEvent } from "../event-log/event-log";
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

/**
 * Follows the feed from a checkpoint and moves it. Its life:
 *
 * - *working*: batches come, events of interest that lie beyond the checkpoint are handled, the checkpoint moves with them.
 * - *standby*: another host holds the claim (see {@link Claims}), or has moved the checkpoint, so that one is at work. This
 *   one only watches, and its position follows the other's, until the claim is free: then it works from the checkpoint on. It
 *   does so too, without the claim, when the checkpoint stands still although there is work: who holds the claim hangs.
 * - *stopped*: the checkpoint is written and the claim given back, so that another host goes on at once.
 *
 * The claim says who works. That nothing is handled twice is the checkpoint's doing: it moves only from where it is known to be.
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
    await consumer.#begin();
    return consumer;
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
    if (held) this.#subscribe();
    else this.#yield();
  }

  #subscribe(): void {
    this.#state = "working";
    this.#gate.moveTo(this.checkpoint.position);
    this.#subscription = this.deps.feed.subscribe({
      name: this.name,
      after: this.position,
      onBatch: (events, through) => this.#inTurn(() => this.#onBatch(events, through)),
    });
  }

  async #onBatch(events: readonly RecordedEvent[], through: Position): Promise<void> {
    if (this.#state === "standby" || through <= this.position) return;
    const wanted = events.filter(
      (event) => this.#handles.has(event.type) && event.position > this.checkpoint.position,
    );
    try {
      if (wanted.length > 0) {
        await this.work.handle(wanted, (client) => this.checkpoint.move(client, through));
        this.checkpoint.moved(through);
      }
      this.#gate.moveTo(through);
      if (through - this.checkpoint.position >= LAZY_EVENTS_MAX) await this.#writeLazily();
      else if (through > this.checkpoint.position) this.#writeSoon();
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      this.#yield();
    }
  }

  /** Writes a checkpoint that has only passed events without interest. */
  async #writeLazily(): Promise<void> {
    const through = this.position;
    if (through <= this.checkpoint.position) return;
    await this.checkpoint.move(this.deps.pool, through);
    this.checkpoint.moved(through);
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
      else if (!this.#forced) this.#yield();
      return;
    }
    if (this.#state === "stopped") return;
    const before = this.checkpoint.position;
    if (held) await this.checkpoint.reload(this.deps.pool);
    else this.checkpoint.moved(checkpoint);
    const { position } = this.checkpoint;
    if (!this.#isStandingBy()) return;
    this.#gate.moveTo(position);
    const now = performance.now();
    this.#still_since = position !== before || position >= head ? undefined : (this.#still_since ?? now);
    if (held)
      this.#takeOver(position < before ? "the database has lost its last moments" : "it falls to this host");
    else if (now - (this.#still_since ?? now) >= this.times.still_ms_max) {
      this.#forced = true;
      this.#takeOver("the host whose it is stands still");
    }
  }

  #takeOver(why: string): void {
    this.deps.logger.info(`${this.name}: ${why}, going on from ${String(this.checkpoint.position)}`);
    this.#still_since = undefined;
    this.#subscribe();
  }

  #yield(): void {
    this.deps.logger.info(`${this.name}: another host is at work, standing by`);
    this.#stepBack();
  }

  #isStandingBy(): boolean {
    return this.#state === "standby";
  }

  #later(ms: number, work: () => Promise<void>): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      this.#inTurn(work).catch((error: unknown) => {
        if (error instanceof FencedError) this.#stepBack();
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
