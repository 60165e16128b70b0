import { setTimeout as pause } from "node:timers/promises";
import type { CommandIdentity } from "../contract/caller";
import type { CommandOutcome } from "../contract/implement";
import { UnavailableError, refusalOf, type Refusal } from "../contract/refusal";
import { wentBack } from "../event-log/database-fault";
import type { EventLog, EventMeta, NewEvent } from "../event-log/event-log";
import type { Logger } from "../logger";
import type { Clock } from "../runtime";
import type { ActorKind, ActorLimits } from "./actor-host";
import { answerAll, answerRepeated, refuseFounder, rejectAll, type Round } from "./answers";
import { BatchDraft, type Told } from "./batch";
import { fold, remember, type Memory } from "./memory";
import { SnapshotSaver } from "./snapshot-saver";

/** After a conflict the actor waits a random part of this times the attempt, so that two hosts do not stay in step. */
const CONFLICT_PAUSE_MS_MAX = 4;

export interface ActorDeps {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A caller that wants to see the state between two batches. */
interface Look<S> {
  see(memory: Memory<S>): void;
  reject(error: unknown): void;
}

/**
 * One live aggregate. Its life:
 *
 * - *cold*: no state in memory. So it is born, and so it becomes again when what it holds may be untrue: its append
 *   conflicted, was a duplicate or failed, `evolve` threw, or the log went back.
 * - *activated* by the next command or look: newest snapshot, then the tail of the stream.
 * - *at work* while anything waits: takes up to `batch_max` commands, fetches `given` once, decides them one after another
 *   in memory, appends one unit, answers all. Commands that come meanwhile wait and form the next batch. Looks are served
 *   between batches, so nobody sees what is not in the log.
 * - *at rest*: nothing waits; may be passivated by its host at any moment.
 *
 * Nobody is answered before the log has confirmed the state that the answer was decided on: by the append, or, when a batch
 * writes nothing, by the tail of the stream being empty. So an activation that another node has overtaken never gives a
 * refusal that is no longer true. Nor is anybody told that something is done already while that may still be taken back.
 */
export class Actor<S, C, E extends NewEvent, G> {
  #mailbox: Told<C>[] = [];
  #looks: Look<S>[] = [];
  #memory: Memory<S> | undefined;
  #work: Promise<void> | undefined;
  #used_at: number;
  readonly #snapshots: SnapshotSaver<S>;

  constructor(
    readonly stream_id: string,
    private readonly deps: ActorDeps,
    private readonly kind: ActorKind<S, C, E, G>,
    private readonly limits: ActorLimits,
    private readonly onRest: (actor: Actor<S, C, E, G>) => void,
  ) {
    this.#used_at = deps.clock.now();
    this.#snapshots = new SnapshotSaver(deps.log, stream_id, kind.snapshot, limits.snapshot_every);
  }

  get version(): number {
    return this.#memory?.version ?? 0;
  }

  get waiting(): number {
    return this.#mailbox.length;
  }

  /** Milliseconds since it was last at work. */
  get idle_ms(): number {
    return this.busy ? 0 : this.deps.clock.now() - this.#used_at;
  }

  get busy(): boolean {
    return this.#work !== undefined;
  }

  /** As log lines name it. */
  toString(): string {
    return `${this.kind.kind}<${this.stream_id}@${String(this.version)}>`;
  }

  tell(command: C, identity: CommandIdentity, meta: EventMeta): Promise<CommandOutcome | Refusal> {
    if (this.#mailbox.length >= this.limits.mailbox_max) return Promise.reject(this.#mailboxFull());
    return new Promise((resolve, reject) => {
      this.#mailbox.push({ command, identity: asLogged(identity), meta, resolve, reject });
      this.#work ??= this.#workOn();
    });
  }

  read<T>(look: (state: S, version: number) => T): Promise<T> {
    if (this.#looks.length >= this.limits.mailbox_max) return Promise.reject(this.#mailboxFull());
    return new Promise((resolve, reject) => {
      this.#looks.push({
        see: ({ state, version }) => {
          resolve(look(state, version));
        },
        reject,
      });
      this.#work ??= this.#workOn();
    });
  }

  /** Resolves when nothing waits any more. */
  async rest(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }

  /** Never rejects: whatever goes wrong goes to the callers. */
  async #workOn(): Promise<void> {
    while (this.#mailbox.length > 0 || this.#looks.length > 0) {
      if (this.#mailbox.length > 0) await this.#settle(this.#mailbox.splice(0, this.limits.batch_max));
      if (this.#looks.length > 0) await this.#serveLooks(this.#looks.splice(0));
    }
    this.#work = undefined;
    this.#used_at = this.deps.clock.now();
    this.onRest(this);
  }

  async #serveLooks(looks: readonly Look<S>[]): Promise<void> {
    for (const look of looks) {
      try {
        look.see((await this.#activate()).memory);
      } catch (error) {
        look.reject(error);
      }
    }
  }

  /** Tries until every command of the batch has its answer. */
  async #settle(batch: readonly Told<C>[]): Promise<void> {
    let rest = batch;
    for (let conflicts = 0; rest.length > 0;) {
      try {
        const round = await this.#try(rest, conflicts);
        rest = round.again;
        if (round.conflict !== true) continue;
      } catch (error) {
        await this.#settleFailed(rest, error);
        return;
      }
      conflicts += 1;
      if (conflicts > this.limits.conflict_retries) {
        rejectAll(
          rest,
          new UnavailableError(
            "actor.contended",
            `Too many others write to ${this.stream_id} at once; try again.`,
          ),
        );
        return;
      }
      await pause(Math.random() * CONFLICT_PAUSE_MS_MAX * conflicts);
    }
  }

  /**
   * A fault, or a refusal from `given`, concerns all. Any other error is a defect, maybe of one command alone (an answer
   * that is no JSON): each goes its own way, so that it takes no other down.
   */
  async #settleFailed(batch: readonly Told<C>[], error: unknown): Promise<void> {
    const refused = refusalOf(error) !== undefined;
    if (!refused)
      this.deps.logger.error(`${String(this)}: a batch of ${String(batch.length)} failed: ${String(error)}`);
    this.#memory = undefined;
    if (refused || error instanceof UnavailableError || batch.length === 1) rejectAll(batch, error);
    else for (const told of batch) await this.#settle([told]);
  }

  async #try(told: readonly Told<C>[], attempt: number): Promise<Round<C>> {
    const { memory, fresh } = await this.#activate();
    const batch = this.#rejectLost(told);
    if (batch.length === 0) return { again: [] };
    const { given, guards = [] } = await this.kind.given(this.stream_id, attempt);
    const draft = new BatchDraft(this.kind.decider, given, memory.state);
    const postponed = draft.decide(batch);
    if (draft.spoilt !== undefined) return this.#withoutSpoiler(batch, draft.spoilt);
    this.#assertOfThisLog(memory);
    if (!draft.writes) return this.#answerWithoutWriting(batch, draft, memory, fresh);
    const outcome = await this.deps.log.append(
      draft.unit({ stream_id: this.stream_id, stream_type: this.kind.kind, version: memory.version, guards }),
    );
    switch (outcome.status) {
      case "committed":
        memory.state = draft.state;
        memory.version += draft.events.length;
        memory.position = outcome.position;
        answerAll(draft, outcome.position);
        this.#snapshots.saveWhenDue(memory, (complaint) => {
          this.#warn(complaint);
        });
        return { again: postponed };
      case "duplicate":
        this.#memory = undefined;
        return answerRepeated(batch, outcome.answers);
      case "conflict":
        this.deps.logger.warn(
          `${String(this)}: conflict on ${outcome.stream_id}, deciding ${String(batch.length)} again`,
        );
        this.#memory = undefined;
        return refuseFounder(batch, draft.founders.get(outcome.stream_id), outcome.stream_id);
    }
  }

  /** Refusals and "nothing to do" alone: true only if the stream has not gone on elsewhere. */
  async #answerWithoutWriting(
    batch: readonly Told<C>[],
    draft: BatchDraft<S, C, E, G>,
    memory: Memory<S>,
    fresh: boolean,
  ): Promise<Round<C>> {
    if (!fresh) {
      const tail = await this.deps.log.readStream(this.stream_id, memory.version);
      this.#assertOfThisLog(memory);
      if (tail.length > 0) {
        fold(this.kind.decider, memory, tail);
        return { again: batch, conflict: true };
      }
    }
    // A repetition may find its work done, and must still get its first answer.
    const stored =
      draft.records.length === 0 ? [] : await this.deps.log.findAnswers(draft.records.map(({ id }) => id));
    // What the state was folded from may be seen and not safe yet. A refusal promises nothing, so it need not wait.
    if (draft.promises) await this.deps.log.durable(memory.read_under);
    answerAll(draft, memory.position, new Map(stored.map((answer) => [answer.id, answer])));
    return { again: [] };
  }

  #isOfAnotherLog({ read_under }: Memory<S>): boolean {
    return read_under !== this.deps.log.lineage.generation;
  }

  /** @throws UnavailableError: who asks again, under the same ids, is told what holds in the log as it is now. */
  #assertOfThisLog(memory: Memory<S>): void {
    if (this.#isOfAnotherLog(memory)) throw wentBack();
  }

  /** What follows from an event of a log that is another one by now follows from nothing. */
  #rejectLost(batch: readonly Told<C>[]): readonly Told<C>[] {
    const { lineage } = this.deps.log;
    const isLost = ({ identity: { of_log } }: Told<C>): boolean =>
      of_log !== undefined && of_log !== lineage.name;
    if (!batch.some(isLost)) return batch;
    rejectAll(batch.filter(isLost), wentBack());
    return batch.filter((told) => !isLost(told));
  }

  #withoutSpoiler(
    batch: readonly Told<C>[],
    { by, error }: { readonly by: Told<C>; readonly error: unknown },
  ): Round<C> {
    this.deps.logger.error(
      `${String(this)}: its state does not take an event that was decided: ${String(error)}`,
    );
    this.#memory = undefined;
    by.reject(error);
    return { again: batch.filter((told) => told !== by) };
  }

  async #activate(): Promise<{ readonly memory: Memory<S>; readonly fresh: boolean }> {
    if (this.#memory !== undefined && !this.#isOfAnotherLog(this.#memory))
      return { memory: this.#memory, fresh: false };
    const memory = await remember(this.deps.log, this.kind, this.stream_id, (complaint) => {
      this.#warn(complaint);
    });
    this.#memory = memory;
    this.deps.logger.debug(`${String(this)}: activated`);
    return { memory, fresh: true };
  }

  #warn(complaint: string): void {
    this.deps.logger.warn(`${String(this)}: ${complaint}`);
  }

  #mailboxFull(): UnavailableError {
    return new UnavailableError(
      "actor.mailbox_full",
      `Too many commands wait for ${this.stream_id}; try again in a moment.`,
    );
  }
}

/** The log gives UUIDs back in lower case, so that is how they are compared. */
function asLogged(identity: CommandIdentity): CommandIdentity {
  const id = identity.id.toLowerCase();
  return id === identity.id ? identity : { ...identity, id };
}
