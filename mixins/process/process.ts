import type { ActionContract, ParamsOf } from "../contract/contract";
import type { Position, RecordedEvent } from "../event-log/event-log";

/** A command that follows from an event; made by {@link command}. */
export interface ProcessCommand {
  readonly contract: ActionContract;
  readonly params: object;
}

/** A command with the parameters that its contract asks for. */
export function command<C extends ActionContract>(contract: C, params: ParamsOf<C>): ProcessCommand {
  return { contract, params };
}

/**
 * A process manager: what Forno does by itself when something has happened (an order was cancelled: give its slot back).
 *
 * `react` must come to the same commands in the same order whenever it is handed the same event: their ids are derived
 * from the event and their place, and a replay relies on that. It may look at a read model, but only for what can no
 * longer change.
 */
export interface ProcessManager {
  /** Stable: checkpoint and command ids hang on it. */
  readonly name: string;
  /** Event types that it reacts to. */
  readonly handles: readonly string[];
  react(event: RecordedEvent): readonly ProcessCommand[] | Promise<readonly ProcessCommand[]>;
}

/** A process manager at work on this node. */
export interface ProcessHost {
  readonly name: string;
  /** Every event up to here has been reacted to. */
  readonly position: Position;
  reached(position: Position, timeout_ms?: number): Promise<void>;
  stop(): Promise<void>;
}
