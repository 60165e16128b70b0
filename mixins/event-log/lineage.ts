import type { Position } from "./event-log";

/**
 * Which event stands at a position. The log is the same up to there as long as this event stands there. Its time belongs to it:
 * ids are derived from stream and version, so the same commands sent again to a log that went back make the same ids.
 */
export interface LogMark {
  readonly position: Position;
  /** Undefined: all that is known is that something stood there; at 0, before everything. */
  readonly event_id: string | undefined;
  /** RFC 3339, with microseconds. */
  readonly recorded_at: string | undefined;
}

export const BEGINNING: LogMark = { position: 0, event_id: undefined, recorded_at: undefined };

/** Positions that were given out and taken back: after `after`, up to `to`. Since then other events may stand there. */
export interface LostRange {
  readonly after: Position;
  readonly to: Position;
}

/** The log was found to lack what had been read of it. */
export interface LineageBreak extends LostRange {
  /** RFC 3339. */
  readonly found_at: string;
  /** Head of the log when this was found. */
  readonly head: Position;
  readonly timeline_before: string;
  readonly timeline_after: string;
}

/**
 * Tells whether the log is still the one that was read. It is not when an asynchronous standby was promoted, or a backup restored:
 * then what was read last is gone, and its positions are given anew to other events. Whoever remembers anything of the log asks here.
 */
export interface Lineage {
  /**
   * Grows when the log may be another than it was: it went back, or another server took over. Whatever is remembered or was read
   * under a smaller one has to be compared with the log, or to be read again. What is read over a connection that was made since
   * is never older than this number.
   */
  readonly generation: number;
  /** The same on all nodes; another after each change of server and each going back that was found. */
  readonly name: string;
  /** The newest first. */
  readonly breaks: readonly LineageBreak[];
  /** Calls back in the very turn in which `generation` has grown. Returns "stop". */
  onChange(listener: () => void): () => void;
  /**
   * Calls back when rows that are derived from the log, and whose commits wait for no disk, may have been lost: with each change,
   * and after the server was started again. Returns "stop".
   */
  onDoubt(listener: () => void): () => void;
  /**
   * Asks the log now; what is found is told by the above, before this resolves. Never rejects.
   * @param missed what somebody has seen of the log, and does not find any more.
   */
  look(missed?: LogMark): Promise<void>;
  /** Whether the log holds this event. @throws UnavailableError `log.unavailable` */
  holds(mark: LogMark): Promise<boolean>;
  /** What stands at a position; undefined beyond the head. @throws UnavailableError `log.unavailable` */
  markAt(position: Position): Promise<LogMark | undefined>;
  /** Notes what somebody has seen of the log: that it goes missing is noticed from now on. */
  saw(mark: LogMark | undefined): void;
}

/** Whether a position may be one that was taken back, so that nobody can say what whoever has it has seen. */
export function mayBeLost({ breaks }: Pick<Lineage, "breaks">, position: Position): boolean {
  return breaks.some(({ after, to }) => position > after && position <= to);
}

/** The mark of an event. */
export function markOf(event: { position: Position; event_id: string; recorded_at: string }): LogMark {
  const { position, event_id, recorded_at } = event;
  return { position, event_id, recorded_at };
}
