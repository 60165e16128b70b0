import type { QueryConfig } from "pg";
import type { Position } from "./event-log";
import { BEGINNING, type Lineage, type LineageBreak, type LogMark } from "./lineage";
import { BREAKS, HOLDS, LINEAGE, MARK_AT, NEWEST_HELD, NOTE_BREAK } from "./lineage-statements";
import { LineageTrail } from "./lineage-trail";
import type { ReadRows } from "./log-readers";
import { rfc3339 } from "./row-types";

/** As often the log is asked even when no connection is made. */
const LOOK_EVERY_MS = 1_000;
/** A server that hangs is noticed by whoever waits for it. */
const ASK_TIMEOUT_MS = 5_000;

/** Whatever runs a statement: a connection that nobody has used yet, or the pool. */
interface Asked {
  query(statement: QueryConfig): Promise<{ rows: unknown[] }>;
}

/** What the server says of itself and the log. */
interface Found {
  readonly head: Position;
  readonly database: string;
  readonly timeline: string | null;
  readonly started_at: string;
  readonly last_break: string | null;
  readonly holds: boolean;
}

type Facts = Omit<Found, "holds" | "timeline"> & { readonly timeline: string };

type Listeners = Set<() => void>;

export interface LineageWatchOptions {
  readonly rows: ReadRows;
  readonly warn: (message: string) => void;
  readonly look_every_ms?: number;
}

/**
 * Asks PostgreSQL which log it holds: in front of the first statement on each connection ({@link check}), so that nobody works over a
 * new connection before what was remembered is known to be good or is forgotten; and every second, for a log that is exchanged under
 * open connections. It compares the server, its timeline, and the newest event that was seen of the log.
 */
export class LineageWatch implements Lineage {
  readonly #trail = new LineageTrail();
  readonly #changed: Listeners = new Set();
  readonly #doubted: Listeners = new Set();
  #facts: Facts | undefined;
  #breaks: readonly LineageBreak[] = [];
  #generation = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(private readonly options: LineageWatchOptions) {}

  get generation(): number {
    return this.#generation;
  }

  get name(): string {
    if (this.#facts === undefined) throw new Error("The log was not asked yet which one it is.");
    const { database, timeline, last_break } = this.#facts;
    return `${database}-${timeline}-${last_break?.slice(0, 8) ?? "0"}`;
  }

  get breaks(): readonly LineageBreak[] {
    return this.#breaks;
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  onDoubt(listener: () => void): () => void {
    this.#doubted.add(listener);
    return () => void this.#doubted.delete(listener);
  }

  start(): void {
    this.#timer = setInterval(() => {
      void this.look();
    }, this.options.look_every_ms ?? LOOK_EVERY_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** To be awaited before a new connection is used. @throws the driver's error */
  readonly check = (client: Asked): Promise<void> =>
    this.#ask((statement) => client.query({ ...statement, query_timeout: ASK_TIMEOUT_MS } as QueryConfig));

  async look(missed?: LogMark): Promise<void> {
    // One that is under way does not ask for this.
    if (missed !== undefined) await this.#looking;
    this.#looking ??= this.#ask(
      async (statement) => ({ rows: await this.options.rows(statement, statement.values ?? []) }),
      missed,
    )
      // That it does not answer is said by whoever needs an answer.
      .catch(() => undefined)
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Somebody who reads on from a position has found this event there. Undefined: it is the one that is known. */
  met(mark: LogMark): Promise<void> | undefined {
    const { newest } = this.#trail;
    return newest?.position !== mark.position || isSameEvent(newest, mark) ? undefined : this.look(newest);
  }

  /** Position of the newest event that was seen. */
  get newest(): Position {
    return this.#trail.newest?.position ?? 0;
  }

  async holds(mark: LogMark): Promise<boolean> {
    return (await this.options.rows<{ holds: boolean }>(HOLDS, valuesOf(mark)))[0]?.holds === true;
  }

  async markAt(position: Position): Promise<LogMark | undefined> {
    if (position === 0) return BEGINNING;
    const [row] = await this.options.rows<{
      head: Position;
      event_id: string | null;
      recorded_at: string | null;
    }>(MARK_AT, [position]);
    if (row === undefined || position > row.head) return undefined;
    const recorded_at = row.recorded_at === null ? undefined : rfc3339(row.recorded_at);
    return { position, event_id: row.event_id ?? undefined, recorded_at };
  }

  saw(mark: LogMark | undefined): void {
    if (mark !== undefined) this.#trail.add(mark);
  }

  async #ask(ask: Asked["query"], missed?: LogMark): Promise<void> {
    for (let isJudged = false; !isJudged;) isJudged = await this.#judge(ask, missed);
  }

  /** False when another connection has found something out meanwhile: asked again, by what is known now. */
  async #judge(ask: Asked["query"], missed: LogMark | undefined): Promise<boolean> {
    const generation = this.#generation;
    const newest = this.#trail.newest ?? BEGINNING;
    const [found] = (await ask({ ...LINEAGE, values: valuesOf(newest) })).rows as Found[];
    if (found === undefined || found.timeline === null) return true;
    const facts: Facts = { ...found, timeline: found.timeline };
    const before = this.#facts;
    const lost = found.holds ? await this.#ifLost(ask, missed) : newest;
    if (generation !== this.#generation) return false;
    if (before !== undefined && lost === undefined && isSame(before, facts)) {
      this.#facts = facts;
      if (before.started_at !== facts.started_at) this.#tell(this.#doubted);
      return true;
    }
    const common = lost === undefined ? newest.position : await this.#newestHeld(ask, lost.position);
    if (generation !== this.#generation) return false;
    const lost_to = Math.max(newest.position, lost?.position ?? 0);
    const noted = lost === undefined || (await this.#note(ask, common, lost_to, facts));
    const breaks = await breaksBy(ask);
    if (generation !== this.#generation) return false;
    this.#breaks = noted ? breaks : [this.#breakNow(common, lost_to, facts), ...breaks];
    this.#facts = { ...facts, last_break: breaks[0]?.break_id ?? null };
    if (before !== undefined) this.#change(before, common, lost_to);
    return true;
  }

  #change(before: Facts, common: Position, lost_to: Position): void {
    this.#trail.cutAfter(common);
    this.#generation += 1;
    const [from, to] = [String(lost_to), String(common)];
    this.options.warn(
      common < lost_to
        ? `The log went back: what was read of it up to position ${from} is in it up to ${to} only. Everything that was made of the rest is made anew.`
        : `Another server holds the log (${before.timeline} → ${String(this.#facts?.timeline)}); nothing that this node had read is missing.`,
    );
    this.#tell(this.#changed);
    this.#tell(this.#doubted);
  }

  async #ifLost(ask: Asked["query"], missed: LogMark | undefined): Promise<LogMark | undefined> {
    if (missed === undefined) return undefined;
    const [row] = (await ask({ ...HOLDS, values: valuesOf(missed) })).rows as { holds: boolean }[];
    return row?.holds === false ? missed : undefined;
  }

  /** What was seen after a lost event may be of the log as it is now, and is of no use here. */
  async #newestHeld(ask: Asked["query"], before: Position): Promise<Position> {
    const marks = this.#trail.marks.filter(({ position }) => position < before);
    const values = [
      marks.map(({ position }) => position),
      marks.map(({ event_id }) => event_id),
      marks.map(({ recorded_at }) => recorded_at),
    ];
    const [row] = (await ask({ ...NEWEST_HELD, values })).rows as { position: Position | null }[];
    return row?.position ?? 0;
  }

  /** False when it could not be written down: then this node alone knows of it. */
  async #note(ask: Asked["query"], common: Position, lost_to: Position, facts: Facts): Promise<boolean> {
    const { timeline_before, timeline_after } = this.#breakNow(common, lost_to, facts);
    try {
      const values = [common, lost_to, facts.head, timeline_before, timeline_after];
      await ask({ text: NOTE_BREAK, values });
      return true;
    } catch (error) {
      this.options.warn(`That the log went back could not be noted in it: ${String(error)}`);
      return false;
    }
  }

  #breakNow(after: Position, to: Position, { head, timeline }: Facts): LineageBreak {
    return {
      ...{ after, to, head },
      found_at: new Date(performance.timeOrigin + performance.now()).toISOString(),
      timeline_before: this.#facts?.timeline ?? timeline,
      timeline_after: timeline,
    };
  }

  /** A listener's mistake must not make a connection fail. */
  #tell(listeners: Listeners): void {
    for (const listener of [...listeners]) {
      try {
        listener();
      } catch (error) {
        this.options.warn(`A listener to the log's lineage failed: ${String(error)}`);
      }
    }
  }
}

const valuesOf = ({ position, event_id, recorded_at }: LogMark): unknown[] => [
  position,
  event_id ?? null,
  recorded_at ?? null,
];

const isSameEvent = (one: LogMark, other: LogMark): boolean =>
  one.event_id === other.event_id && one.recorded_at === other.recorded_at;

const isSame = (one: Facts, other: Facts): boolean =>
  one.database === other.database && one.timeline === other.timeline && one.last_break === other.last_break;

async function breaksBy(
  ask: Asked["query"],
): Promise<readonly (LineageBreak & { readonly break_id: string })[]> {
  return (await ask(BREAKS)).rows as (LineageBreak & { readonly break_id: string })[];
}
