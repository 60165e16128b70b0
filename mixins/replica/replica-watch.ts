import { Pool, type ClientConfig } from "pg";
import { PUBLICATIONS, type Publication, type PublishedPart } from "../../entities/publications";
import type { Position } from "../event-log/event-log";
import type { Logger } from "../logger";
import { publishedTables, tablesOf } from "./published-schema";

/** A sample that has not come back by then has failed. */
const SAMPLE_TIMEOUT_MS = 1_000;
/** Tables change with migrations only. */
const SCHEMA_EVERY_MS = 5_000;

/** How one publication is on the replica. */
export interface PartState {
  readonly part: PublishedPart;
  /** No change that is older than this is missing, by the primary's clock; undefined: no heartbeat came over yet. */
  readonly lag_ms: number | undefined;
  /** Every row change up to this position of the log is there. */
  readonly position: Position;
  /** Whether its tables have been copied; while they are not they lack rows of any age. */
  readonly copied: boolean;
}

/** What was found last. */
export interface ReplicaState {
  readonly parts: readonly PartState[];
  /** Sentences that name what the replica's tables have other than they should. */
  readonly differences: readonly string[];
}

const BEATS = `
  select h.publication, h.beaten_at, h.position, array(
      select c.relname::text from pg_subscription s
      join pg_subscription_rel r on r.srsubid = s.oid and r.srsubstate = 'r' join pg_class c on c.oid = r.srrelid
      where h.publication = any (s.subpublications)
        and s.subdbid = (select oid from pg_database where datname = current_database())
    ) as copied
  from replica_heartbeats h`;

interface Beat {
  readonly publication: string;
  readonly beaten_at: Date;
  readonly position: Position;
  readonly copied: readonly string[];
}

interface Sample {
  /** When it began, on this process's steady clock. */
  readonly began_ms: number;
  /** What the primary's clock showed, later than that. */
  readonly primary_now_ms: number;
  readonly beats: readonly Beat[];
}

/**
 * Looks in the background at how far the replica has come. Between two looks a lag counts as growing, so whatever hangs, this
 * process included, only ever makes it look older than it is.
 */
export class ReplicaWatch {
  readonly #primary: Pool;
  readonly #logger: Logger;
  /** A connection of its own: a replica whose readers wait for connections is slow, not gone. */
  readonly #replica: Pool;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;
  #sample: Sample | undefined;
  #differences: readonly string[] | undefined;
  #schema_ms = -Infinity;
  #said: string | undefined;

  constructor(deps: { primary: Pool; replica: ClientConfig; logger: Logger; every_ms: number }) {
    this.#primary = deps.primary;
    this.#logger = deps.logger;
    this.#replica = new Pool({
      ...deps.replica,
      max: 1,
      application_name: "forno replica watch",
      connectionTimeoutMillis: SAMPLE_TIMEOUT_MS,
      query_timeout: SAMPLE_TIMEOUT_MS,
    });
    // An idle connection that breaks is noticed by the next look.
    this.#replica.on("error", () => undefined);
    this.#timer = setInterval(() => void this.look(), deps.every_ms).unref();
    void this.look();
  }

  /** Looks now, or waits for the look under way; never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** What is known now; undefined while the replica does not answer. */
  get state(): ReplicaState | undefined {
    const differences = this.#differences;
    if (this.#sample === undefined || differences === undefined) return undefined;
    return { parts: PUBLICATIONS.map((publication) => this.#stateOf(publication)), differences };
  }

  /** Forgets what is known, after a read has failed there: the next look decides whether it is used again. */
  doubt(): void {
    this.#sample = undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#replica.end();
  }

  async #look(): Promise<void> {
    try {
      const began_ms = performance.now();
      const clock = this.#primary.query<{ now: Date }>("select clock_timestamp() as now");
      const [{ rows: beats }, { rows: times }] = await Promise.all([this.#replica.query<Beat>(BEATS), clock]);
      if (began_ms - this.#schema_ms >= SCHEMA_EVERY_MS || this.#differences?.length !== 0) {
        const tables = await publishedTables(this.#primary, this.#replica);
        this.#differences = [...new Set(tables.flatMap(({ differences }) => differences))];
        this.#schema_ms = began_ms;
      }
      this.#sample = { began_ms, primary_now_ms: times[0]?.now.getTime() ?? 0, beats };
      this.#say("The replica answers.");
    } catch (error) {
      this.#sample = undefined;
      this.#say(`The replica is not read: ${String(error)}`);
    }
  }

  #stateOf(publication: Publication): PartState {
    const { part } = publication;
    const beat = this.#sample?.beats.find((each) => each.publication === publication.publication);
    if (this.#sample === undefined || beat === undefined)
      return { part, lag_ms: undefined, position: 0, copied: false };
    const { began_ms, primary_now_ms } = this.#sample;
    const age_ms = primary_now_ms - beat.beaten_at.getTime();
    return {
      part,
      lag_ms: Math.max(0, Math.round(age_ms + performance.now() - began_ms)),
      position: beat.position,
      copied: tablesOf(publication).every((table) => beat.copied.includes(table)),
    };
  }

  #say(line: string): void {
    if (line !== this.#said) this.#logger.info(line);
    this.#said = line;
  }
}
