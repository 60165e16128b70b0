import type { EventLog } from "../event-log/event-log";
import type { ActorKind } from "./actor-host";
import type { Memory } from "./memory";

/**
 * Saves an actor's snapshots in the background: every `every` events, but not before the stream has grown by a third since
 * the last one (a quarter of it is new). All snapshots of a stream together then cost no more than a few times its length.
 */
export class SnapshotSaver<S> {
  #saving = false;

  constructor(
    private readonly log: EventLog,
    private readonly stream_id: string,
    private readonly shape: ActorKind<S, never, never, never>["snapshot"],
    private readonly every: number,
  ) {}

  /** To be called when the log has just confirmed what is in memory. */
  saveWhenDue(memory: Memory<S>, complain: (complaint: string) => void): void {
    const { stream_id, shape } = this;
    const { version } = memory;
    const grown = version - memory.snapshot_version;
    if (shape === undefined || this.#saving || grown < this.every || grown * 4 < version) return;
    this.#saving = true;
    memory.snapshot_version = version;
    this.log
      .saveSnapshot({ stream_id, version, schema_v: shape.schema_v, state: shape.save(memory.state) })
      .catch((error: unknown) => {
        complain(`no snapshot was saved: ${String(error)}`);
      })
      .finally(() => (this.#saving = false));
  }
}
