import type {
  AppendInOutcome,
  AppendOutcome,
  AppendUnit,
  EventLog,
  Position,
  RecordedEvent,
  Snapshot,
  StoredAnswer,
} from "../../mixins/event-log/event-log";

/** A real log that counts what is asked of it, and lets a test hold or break its appends. */
export class ObservedLog implements EventLog {
  readonly units: AppendUnit[] = [];
  readonly snapshots: Snapshot[] = [];
  reads = 0;
  /** Called before each append; may wait, throw, or answer in the log's place. */
  onAppend: (unit: AppendUnit) => Promise<AppendOutcome | undefined> | undefined = () => undefined;
  onRead: () => Promise<void> | undefined = () => undefined;

  constructor(private readonly log: EventLog) {}

  async append(unit: AppendUnit): Promise<AppendOutcome> {
    this.units.push(unit);
    return (await this.onAppend(unit)) ?? this.log.append(unit);
  }
  get lineage(): EventLog["lineage"] {
    return this.log.lineage;
  }
  readStream(stream_id: string, after_version?: number): Promise<RecordedEvent[]> {
    return this.log.readStream(stream_id, after_version);
  }
  async readAll(after: Position, limit: number): Promise<RecordedEvent[]> {
    this.reads += 1;
    await this.onRead();
    return this.log.readAll(after, limit);
  }
  opened(events: readonly RecordedEvent[]): Promise<RecordedEvent[]> {
    return this.log.opened(events);
  }
  get stored(): EventLog["stored"] {
    return this.log.stored;
  }
  findAnswers(ids: readonly string[]): Promise<StoredAnswer[]> {
    return this.log.findAnswers(ids);
  }
  durable(read_under?: number): Promise<void> {
    return this.log.durable(read_under);
  }
  head(): Promise<Position> {
    return this.log.head();
  }
  onAppended(wake: () => void): () => void {
    return this.log.onAppended(wake);
  }
  onCommitted(listener: (events: readonly RecordedEvent[]) => void): () => void {
    return this.log.onCommitted?.(listener) ?? (() => undefined);
  }
  appendIn(...args: Parameters<EventLog["appendIn"]>): Promise<AppendInOutcome> {
    return this.log.appendIn(...args);
  }
  loadSnapshot(stream_id: string, schema_v: number): Promise<Snapshot | undefined> {
    return this.log.loadSnapshot(stream_id, schema_v);
  }
  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    const saved = this.log.saveSnapshot(snapshot);
    await saved;
    this.snapshots.push(snapshot);
  }
  close(): Promise<void> {
    return this.log.close();
  }
}
