import type { NewEvent, StreamAppend } from "../event-log/event-log";
import type { Refusal } from "../contract/refusal";

/** What a decision writes: events of the actor's own stream, streams that it founds, and the answer to its caller. */
export interface Decision<E extends NewEvent = NewEvent> {
  readonly events: readonly E[];
  /** New streams founded by the same decision (expected version 0), e.g. the order that a slot was given to. */
  readonly founds?: readonly StreamAppend[];
  readonly answer: unknown;
  /**
   * Its caller only wants to see the state, and takes nothing for done because of the answer. Any other answer without events
   * ("that is so already") waits until what it rests upon is as safe as if it had been written by this very command.
   */
  readonly reading?: true;
}

/**
 * The rules of one kind of aggregate. Both functions are pure in the sense that counts: no clock, no randomness, no I/O;
 * time, ids and prices come in with the command or as `given`. `evolve` owns the state that it is handed and may change it
 * in place (a kitchen-day holds many thousands of bookings; copying it for each event would be quadratic); the actor
 * throws the state away and folds it anew when an append does not commit. An event that it is handed is not its own: it may
 * still have to be written, so what is kept of it must be replaced, never changed.
 */
export interface Decider<S, C, E extends NewEvent, G = undefined> {
  initialState(): S;
  decide(command: C, state: S, given: G): Decision<E> | Refusal;
  evolve(state: S, event: E): S;
}
