import type { EventLog, NewEvent, Position, RecordedEvent } from "../event-log/event-log";
import type { ActorKind } from "./actor-host";
import type { Decider } from "./decider";

/** An actor's state, and the place in its stream that it stands for. */
export interface Memory<S> {
  state: S;
  version: number;
  /** Of the newest event folded into the state; 0 when there is none. */
  position: Position;
  /** Version of the newest snapshot. */
  snapshot_version: number;
  /** The lineage's generation before it was read: under another one it may be the state of events that the log does not hold. */
  readonly read_under: number;
}

/**
 * Folds an actor's state from the log: the newest usable snapshot and the events after it, else all events. A snapshot
 * that cannot be used costs time and nothing else; `complain` hears why.
 */
export async function remember<S, C, E extends NewEvent, G>(
  log: EventLog,
  kind: ActorKind<S, C, E, G>,
  stream_id: string,
  complain: (complaint: string) => void,
): Promise<Memory<S>> {
  const { generation } = log.lineage;
  const saved = await fromSnapshot(log, kind, stream_id, complain);
  if (saved !== undefined) return saved;
  const memory: Memory<S> = {
    state: kind.decider.initialState(),
    version: 0,
    position: 0,
    snapshot_version: 0,
    read_under: generation,
  };
  return fold(kind.decider, memory, await log.readStream(stream_id));
}

async function fromSnapshot<S, C, E extends NewEvent, G>(
  log: EventLog,
  { snapshot: shape, decider }: ActorKind<S, C, E, G>,
  stream_id: string,
  complain: (complaint: string) => void,
): Promise<Memory<S> | undefined> {
  if (shape === undefined) return undefined;
  const { generation } = log.lineage;
  const saved = await log.loadSnapshot(stream_id, shape.schema_v);
  if (saved === undefined || saved.schema_v !== shape.schema_v) return undefined;
  // The event at the snapshot's own version is read along: it gives the position, and proves that the stream got so far.
  const [last, ...tail] = await log.readStream(stream_id, saved.version - 1);
  if (last?.version !== saved.version) {
    complain(`its snapshot is of version ${String(saved.version)}, which the stream does not have; ignored`);
    return undefined;
  }
  try {
    const state = shape.load(saved.state);
    const { version } = saved;
    const { position } = last;
    const memory = { state, version, position, snapshot_version: version, read_under: generation };
    return fold(decider, memory, tail);
  } catch (error) {
    complain(
      `its snapshot of version ${String(saved.version)} is not usable, reading all events: ${String(error)}`,
    );
    return undefined;
  }
}

/** Folds further events into the state, in place. @throws Error when a version is missing: the log would have a hole. */
export function fold<S, C, E extends NewEvent, G>(
  decider: Decider<S, C, E, G>,
  memory: Memory<S>,
  events: readonly RecordedEvent[],
): Memory<S> {
  for (const event of events) {
    if (event.version !== memory.version + 1)
      throw new Error(
        `${event.stream_id}: version ${String(event.version)} follows ${String(memory.version)}.`,
      );
    // The log gives back what this decider wrote, upcast to today's shape.
    memory.state = decider.evolve(memory.state, event as unknown as E);
    memory.version = event.version;
    memory.position = event.position;
  }
  return memory;
}
