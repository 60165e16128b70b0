import { DatabaseError, type Pool } from "pg";
import type { CommandIdentity } from "../../mixins/contract/caller";
import { replayOf, type CommandOutcome } from "../../mixins/contract/implement";
import { UnavailableError, type Refusal } from "../../mixins/contract/refusal";
import type { CameraEvent } from "./camera.events";
import { ensureDays, daysAhead } from "./event-days";

/** Events that wait while the database is slow: some seconds of a large chain. Beyond, senders are told to come back. */
const WAITING_MAX = 20_000;
/** Events of one statement. */
const BATCH_MAX = 5_000;
/** No partition for a row. */
const NO_PARTITION = "23514";

/** What one request adds. */
export interface Addition {
  readonly events: readonly CameraEvent[];
  readonly received_at: string;
  /** Kept with the events where the request carried an Idempotency-Key. */
  readonly identity: CommandIdentity;
  readonly answer: object;
}

interface Waiting extends Addition {
  readonly resolve: (outcome: CommandOutcome | Refusal) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Where camera events are kept. Requests that come while a statement is under way share the next one, so the cost of a commit
 * is shared, too, and all events of a node are written, and handed on, in the order of their arrival.
 */
export class EventStore {
  #waiting: Waiting[] = [];
  #events_waiting = 0;
  #working: Promise<void> | undefined;

  /** @param stored gets the events that have just been committed, in order; must not throw. */
  constructor(
    private readonly pool: Pool,
    private readonly stored: (events: readonly CameraEvent[]) => void,
  ) {}

  /** Events that wait for the database. */
  get backlog(): number {
    return this.#events_waiting;
  }

  /**
   * Resolves when the events are durable, or with the answer of an earlier request under the same identity.
   * @throws UnavailableError `camera.events_busy` when too many wait; what the database throws.
   */
  add(addition: Addition): Promise<CommandOutcome | Refusal> {
    if (this.#events_waiting + addition.events.length > WAITING_MAX)
      return Promise.reject(
        new UnavailableError("camera.events_busy", "More camera events come than can be kept; try again."),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...addition, resolve, reject });
      this.#events_waiting += addition.events.length;
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
      for (const { events } of batch) this.#events_waiting -= events.length;
    }
  }

  /** The oldest, as many as fit; a second request under one identity waits for the first one's outcome. */
  #next(): Waiting[] {
    const batch: Waiting[] = [];
    const ids = new Set<string>();
    let events = 0;
    for (const one of this.#waiting) {
      if (batch.length > 0 && (events + one.events.length > BATCH_MAX || ids.has(one.identity.id))) break;
      batch.push(one);
      ids.add(one.identity.id);
      events += one.events.length;
    }
    this.#waiting = this.#waiting.slice(batch.length);
    return batch;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const founded = await this.#insert(batch);
    for (const one of batch) {
      const { identity, answer, events, resolve } = one;
      if (identity.fresh === true || founded.has(identity.id)) {
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
      resolve(replayOf(identity, { ...stored, position: 0 }));
    } catch (error) {
      reject(error);
    }
  }

  /** Ids of the keyed requests that are new. */
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
    const keyed = batch.filter(({ identity }) => identity.fresh !== true);
    const rows = batch.flatMap(({ events, identity, received_at }) =>
      events.map((event) => ({ event, received_at, command: identity.fresh === true ? null : identity.id })),
    );
    const column = (read: (row: (typeof rows)[number]) => unknown): unknown[] => rows.map(read);
    const { rows: founded } = await this.pool.query<{ command_id: string }>(INSERT, [
      keyed.map(({ identity }) => identity.id),
      keyed.map(({ identity }) => identity.fingerprint),
      keyed.map(({ answer }) => JSON.stringify(answer)),
      keyed.map(({ received_at }) => received_at),
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
      column(({ event }) => JSON.stringify(event.data)),
    ]);
    return new Set(founded.map(({ command_id }) => command_id));
  }
}

const ANSWERED = "select fingerprint, answer from camera_event_requests where command_id = $1";

/** One statement, one commit: answers of keyed requests that are new, and the events of those and of all others. */
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
    where command_id is null or command_id in (select command_id from founded)
  )
  select command_id from founded`;
