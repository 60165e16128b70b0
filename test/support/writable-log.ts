import type { AppendOutcome, AppendUnit, StoredAnswer } from "../../mixins/event-log/event-log";
import { MemoryLog } from "./memory-log";

/**
 * A log in memory that takes units as the real one does: versions and command ids are checked, a unit commits whole or not
 * at all. Appends can be held up, and made to fail.
 */
export class WritableLog extends MemoryLog {
  /** Every unit that was tried, in order. */
  readonly tried: AppendUnit[] = [];
  /** How often answers were asked for, and streams read. */
  readonly asked = { answers: 0, streams: 0 };
  readonly #answers = new Map<string, StoredAnswer>();
  readonly #waiting: (() => void)[] = [];
  #held = false;
  #failure: Error | undefined;

  /** Keeps every append waiting until the function that is given back is called. */
  hold(): () => void {
    this.#held = true;
    return () => {
      this.#held = false;
      for (const go of this.#waiting.splice(0)) go();
    };
  }

  /** The next append fails, and writes nothing. */
  failOnce(error: Error): void {
    this.#failure = error;
  }

  override async append(unit: AppendUnit): Promise<AppendOutcome> {
    this.tried.push(unit);
    if (this.#held) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    const known = unit.commands.flatMap(({ id }) => this.#answers.get(id) ?? []);
    if (known.length > 0) return { status: "duplicate", answers: known };
    for (const { stream_id, expected_version } of [...unit.streams, ...(unit.guards ?? [])])
      if ((await super.readStream(stream_id)).length !== expected_version)
        return { status: "conflict", stream_id };
    let position = await this.head();
    for (const { stream_id, events } of unit.streams)
      position = this.write(...events.map((event) => ({ ...event, stream_id })));
    for (const command of unit.commands) this.#answers.set(command.id, { ...command, position });
    return { status: "committed", position };
  }

  override readStream(stream_id: string, after_version?: number) {
    this.asked.streams += 1;
    return super.readStream(stream_id, after_version);
  }

  override findAnswers(ids?: readonly string[]): Promise<never[]> {
    this.asked.answers += 1;
    return Promise.resolve((ids ?? []).flatMap((id) => this.#answers.get(id) ?? []) as never[]);
  }
}
