import type { LogMark } from "./lineage";

/** Marks kept: among the newest nearly every one, further back ever fewer. */
const MARKS_MAX = 64;
const NEWEST_KEPT = 16;

/** Events that were seen of the log, to tell later how far two histories of it are the same. */
export class LineageTrail {
  #marks: LogMark[] = [];

  /** Of what was seen, the newest; undefined: nothing was. */
  get newest(): LogMark | undefined {
    return this.#marks.at(-1);
  }

  /** In the order of their positions. */
  get marks(): readonly LogMark[] {
    return this.#marks;
  }

  /** What lies behind the newest is known already. */
  add(mark: LogMark): void {
    if (mark.event_id === undefined || mark.position <= (this.newest?.position ?? 0)) return;
    this.#marks.push(mark);
    if (this.#marks.length <= MARKS_MAX) return;
    const old = this.#marks.length - NEWEST_KEPT;
    this.#marks = this.#marks.filter((_, at) => at >= old || at % 2 === 0);
  }

  /** Forgets what lies behind a position. */
  cutAfter(position: number): void {
    this.#marks = this.#marks.filter((mark) => mark.position <= position);
  }
}
