import { replayOf } from "../contract/implement";
import { refuse } from "../contract/refusal";
import type { NewEvent, Position, StoredAnswer } from "../event-log/event-log";
import type { BatchDraft, Told } from "./batch";

/** What is left of a batch after one try. */
export interface Round<C> {
  readonly again: readonly Told<C>[];
  /** The try failed because somebody else wrote; only so many of those are made. */
  readonly conflict?: true;
}

/** Tells everybody in a batch what has become of their command, now that the log has confirmed it. */
export function answerAll<S, C, E extends NewEvent, G>(
  { decided }: BatchDraft<S, C, E, G>,
  position: Position,
  stored?: ReadonlyMap<string, StoredAnswer>,
): void {
  for (const { told, verdict } of decided) {
    switch (verdict.kind) {
      case "accepted": {
        const first = stored?.get(told.identity.id);
        told.resolve(
          first === undefined
            ? { answer: verdict.answer, position, replayed: false }
            : replayOf(told.identity, first),
        );
        break;
      }
      case "refused":
        told.resolve(verdict.refusal);
        break;
      case "repeated":
        told.resolve(
          replayOf(told.identity, stored?.get(told.identity.id) ?? { ...verdict.first, position }),
        );
        break;
      case "broken":
        told.reject(verdict.error);
        break;
    }
  }
}

/** Gives the stored answers to whom they belong; the others are decided again. */
export function answerRepeated<C>(batch: readonly Told<C>[], answers: readonly StoredAnswer[]): Round<C> {
  const stored = new Map(answers.map((answer) => [answer.id, answer]));
  const again = batch.filter((told) => {
    const answer = stored.get(told.identity.id);
    if (answer !== undefined) told.resolve(replayOf(told.identity, answer));
    return answer === undefined;
  });
  if (again.length === batch.length)
    throw new Error("The log called a unit a duplicate and named none of its commands.");
  return { again };
}

/** A conflict on a stream that a command wanted to found is final for that command: the stream exists. */
export function refuseFounder<C>(
  batch: readonly Told<C>[],
  founder: Told<C> | undefined,
  stream_id: string,
): Round<C> {
  if (founder === undefined) return { again: batch, conflict: true };
  founder.resolve(
    refuse("conflict", "stream.exists", `${stream_id} exists already; it cannot be founded twice.`),
  );
  return { again: batch.filter((told) => told !== founder) };
}

export function rejectAll<C>(batch: readonly Told<C>[], error: unknown): void {
  for (const told of batch) told.reject(error);
}
