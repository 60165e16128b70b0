import type { EventLog, Position } from "../event-log/event-log";
import type { ConsumerState } from "./consumer";
import type { RebuildProgress } from "./projection";

/** A projection or process manager of this node, as operators see it. */
export interface RunningConsumer {
  readonly name: string;
  readonly kind: "projection" | "process";
  readonly position: Position;
  readonly state: ConsumerState;
  /** Only projections can be rebuilt. */
  rebuild?(progress?: (state: RebuildProgress) => void): Promise<void>;
}

export interface ConsumerStatus {
  readonly name: string;
  readonly kind: "projection" | "process";
  readonly state: ConsumerState;
  readonly position: Position;
  /** Events between it and the head of the log. */
  readonly lag: number;
}

/** One log is one node: several nodes in one process, as in tests, stay apart. */
const consumersByLog = new WeakMap<EventLog, Map<string, RunningConsumer>>();

/** The projections and process managers that run on this node, by name. */
export function consumersOf(log: EventLog): ReadonlyMap<string, RunningConsumer> {
  return consumersByLog.get(log) ?? new Map();
}

/** Makes a consumer known to operators; call the result when it stops. */
export function registerConsumer(log: EventLog, consumer: RunningConsumer): () => void {
  const consumers = consumersByLog.get(log) ?? new Map<string, RunningConsumer>();
  consumersByLog.set(log, consumers);
  if (consumers.has(consumer.name))
    throw new Error(`Two consumers are called ${consumer.name}: they would share a checkpoint.`);
  consumers.set(consumer.name, consumer);
  return () => void consumers.delete(consumer.name);
}

/** How far each consumer of this node is. */
export async function projectionStatus(log: EventLog): Promise<readonly ConsumerStatus[]> {
  const head = await log.head();
  return Array.from(consumersOf(log).values(), ({ name, kind, state, position }) => ({
    name,
    kind,
    state,
    position,
    lag: Math.max(0, head - position),
  }));
}
