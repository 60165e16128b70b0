import { DatabaseError, type Pool } from "pg";
import type { CommandIdentity } from "../../mixins/contract/caller";
import { replayOf, type CommandOutcome } from "../../mixins/contract/implement";
import { UnavailableError, type Refusal } from "../../mixins/contract/refusal";
import type { EventLog } from "../../mixins/event-log/event-log";
import type { CameraEvent } from "./camera.events";
import { ensureDays, daysAhead } from "./event-days";

/** Events that wait while the database is slow: some seconds of a large chain. Beyond, senders are told to come back. */
const WAITING_MAX = 20_000;
/** Characters of JSON in all that waits. */
const WAITING_CHARS_MAX = 64_000_000;
/** Events of one statement, and characters. */
const BATCH_MAX = 5_000;
const BATCH_CHARS_MAX = 8_000_000;
/** No partition for a row. */
const NO_PARTITION = "23514";

/** What one request adds. */
export interface Addition {
  readonly events: readonly CameraEvent[];
  readonly received_at: string;
  /**
   * Kept with the events, also where Forno made it itself: a gateway that hears nothing from one node sends the request to
   * another, under the same identity.
   */
  readonly identity: CommandIdentity;
  readonly answer: object;
}

interface Waiting extends Addition {
  /** Events, and at least one: whoever brings none takes a place, too. */
  readonly size: number;
  readonly chars: number;
  /** JSON of the events' data, and of the answer. */
  readonly data: readonly string[];
  readonly answer_text: string;
  readonly resolve: (outcome: CommandOutcome | Refusal) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Where camera events are kept. Requests that come while a statement is under way share the next one, so the cost of a commit
 * is shared, too, and all events of a node are written, and handed on, in the order of their arrival.
 */
export class EventStore {
  #waiting: Waiting[] = [];
  #size = 0;
  #chars = 0;
  #working: Promise<void> | undefined;

  /** @param stored gets the events that have just been committed, in order; must not throw. */
  constructor(
    private readonly pool: Pool,
    private readonly log: Pick<EventLog, "durable">,
    private readonly stored: (events: readonly CameraEvent[]) => void,
  ) {}

  /** Events that wait for the database; a request without any counts as one. */
  get backlog(): number {
    return this.#size;
  }

  /**
   * Resolves when the events are durable, or with the answer of an earlier request under the same identity. A request that has
   * nothing to keep and cannot have been answered before (a sign of life) waits for nothing.
   * @throws UnavailableError `camera.events_busy` when too many wait; what the database throws.
   */
  add(addition: Addition): Promise<CommandOutcome | Refusal> {
    const { events, identity, answer } = addition;
    if (events.length === 0 && identity.fresh === true)
      return Promise.resolve({ answer, position: 0, replayed: false });
    const data = events.map((event) => JSON.stringify(event.data));
    const answer_text = JSON.stringify(answer);
    const size = Math.max(1, events.length);
    const chars = data.reduce((sum, text) => sum + text.length, answer_text.length);
    if (this.#size + size > WAITING_MAX || this.#chars + chars > WAITING_CHARS_MAX)
      return Promise.reject(
        new UnavailableError("camera.events_busy", "More camera events come than can be kept; try again."),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...addition, size, chars, data, answer_text, resolve, reject });
      this.#size += size;
      this.#chars += chars;
      this.#working ??= this.#work().finally(() => (this.#working = undefined));
    });
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#working;
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#next();
      try {
        await this.#write(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      for (const { size, chars } of batch) {
        this.#size -= size;
        this.#chars -= chars;
      }
    }
  }

  /** The oldest, as many as fit; a second request under one identity waits for the first one's outcome. */
  #next(): Waiting[] {
    const batch: Waiting[] = [];
    const ids = new Set<string>();
    let [size, chars] = [0, 0];
    for (const one of this.#waiting) {
      size += one.size;
      chars += one.chars;
      const fits = size <= BATCH_MAX && chars <= BATCH_CHARS_MAX && !ids.has(one.identity.id);
      if (batch.length > 0 && !fits) break;
      batch.push(one);
      ids.add(one.identity.id);
    }
    this.#waiting = this.#waiting.slice(batch.length);
    return batch;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const founded = await this.#insert(batch);
    for (const one of batch) {
      const { identity, answer, events, resolve } = one;
      if (founded.has(identity.id)) {
        this.stored(events);
        resolve({ answer, position: 0, replayed: false });
      } else await this.#replay(one);
    }
  }

  async #replay({ identity, resolve, reject }: Waiting): Promise<void> {
    try {
      const { rows } = await this.pool.query<{ fingerprint: string; answer: unknown }>(ANSWERED, [
        identity.id,
      ]);
      const [stored] = rows;
      if (stored === undefined) throw new Error(`The answer to ${identity.id} is gone.`);
      // Found, not written: it may be here and not on the standby yet.
      await this.log.durable();
      resolve(replayOf(identity, { ...stored, position: 0 }));
    } catch (error) {
      reject(error);
    }
  }

  /** Ids of the requests that are new. */
  async #insert(batch: readonly Waiting[]): Promise<ReadonlySet<string>> {
    try {
      return await this.#insertOnce(batch);
    } catch (error) {
      if (!(error instanceof DatabaseError && error.code === NO_PARTITION)) throw error;
      // This node slept for days, or its clock was set.
      await ensureDays(this.pool, daysAhead(Date.parse(batch[0]?.received_at ?? "")));
      return this.#insertOnce(batch);
    }
  }

  async #insertOnce(batch: readonly Waiting[]): Promise<ReadonlySet<string>> {
    const rows = batch.flatMap(({ events, data, identity, received_at }) =>
      events.map((event, at) => ({ event, data: data[at], received_at, command: identity.id })),
    );
    const column = (read: (row: (typeof rows)[number]) => unknown): unknown[] => rows.map(read);
    const { rows: founded } = await this.pool.query<{ command_id: string }>(INSERT, [
      batch.map(({ identity }) => identity.id),
      batch.map(({ identity }) => identity.fingerprint),
      batch.map(({ answer_text }) => answer_text),
      batch.map(({ received_at }) => received_at),
      column(({ command }) => command),
      column(({ event }) => event.event_id),
      column(({ received_at }) => received_at),
      column(({ event }) => event.event_type),
      column(({ event }) => event.camera_id),
      column(({ event }) => event.mac_address),
      column(({ event }) => event.model),
      column(({ event }) => event.branch_id),
      column(({ event }) => event.complex_id),
      column(({ event }) => event.timestamp),
      column(({ data }) => data),
    ]);
    return new Set(founded.map(({ command_id }) => command_id));
  }
}

const ANSWERED = "select fingerprint, answer from camera_event_requests where command_id = $1";

/** One statement, one commit: the answers of requests that are new, and their events. */
const INSERT = `
  with founded as (
    insert into camera_event_requests (command_id, fingerprint, answer, received_at)
    select * from unnest($1::uuid[], $2::text[], $3::json[], $4::timestamptz[])
    on conflict do nothing
    returning command_id
  ), added as (
    insert into camera_events (event_id, received_at, event_type, camera_id, mac_address, model, branch_id, complex_id, occurred_at, data)
    select event_id, received_at, event_type, camera_id, mac_address, model, branch_id, complex_id, occurred_at, data
    from unnest($5::uuid[], $6::uuid[], $7::timestamptz[], $8::text[], $9::uuid[], $10::text[], $11::text[], $12::uuid[],
        $13::text[], $14::timestamptz[], $15::json[])
      as given (command_id, event_id, received_at, event_type, camera_id, mac_address, model, branch_id, complex_id, occurred_at, data)
    where command_id in (select command_id from founded)
  )
  select command_id from founded`;
