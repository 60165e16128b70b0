import type { Pool, PoolClient } from "pg";
import type { CommandIdentity } from "../contract/caller";
import type { CommandOutcome } from "../contract/implement";
import { isRefusal, refuse, type Refusal } from "../contract/refusal";
import type { EventMeta, NewEvent, StreamAppend } from "../event-log/event-log";
import type { Runtime } from "../runtime";
import { creationOf, deletionOf, updateOf, type EntityEvents } from "./entity-events";
import { changeRows } from "./row-change";

/** What every row of an entity carries beside its own fields. */
export interface RowStamps {
  /** Version of the row's stream in the log: the number of its events. */
  readonly version: number;
  /** RFC 3339 UTC. */
  readonly created_at: string;
  readonly updated_at: string;
}

/** An entity whose rows are made, changed and deleted one by one, with an event for each. */
export interface Entity<Row extends RowStamps> {
  /** Kind of its streams and beginning of its refusals, e.g. `camera`: `camera-<id>`, `camera.unknown`. */
  readonly name: string;
  /** What people call it, e.g. `camera`. */
  readonly title: string;
  readonly table: string;
  readonly id: keyof Row & string;
  /** Its own columns without the id, in any order. */
  readonly fields: readonly (keyof Row & string)[];
  /** Which of them are `json` in the table. */
  readonly json?: readonly (keyof Row & string)[];
  /** Fields that no two rows may share, each a unique column of the table. Refusal: `<name>.<field>_taken`. */
  readonly unique?: readonly (keyof Row & string)[];
  readonly events: EntityEvents<Row>;
}

/** Who asks, for the log. */
export interface Asked {
  readonly command: CommandIdentity;
  readonly meta: EventMeta;
}

type Fields<Row> = Omit<Row, keyof RowStamps>;
type Filter<Row> = { readonly [F in keyof Row]?: string | boolean | readonly string[] | undefined };
type RowRuntime = Pick<Runtime, "pool" | "log" | "clock">;

/** Never leaves this file: rolls the transaction back. Nobody repeats this command, so it need not be remembered. */
const AS_WANTED = refuse("conflict", "row.as_wanted", "Nothing to do.");

/** The rows of one entity. Changes answer with the row as it is after them, for whoever repeats the command, too. */
export class EntityRows<Row extends RowStamps> {
  readonly #columns: readonly string[];

  constructor(
    private readonly runtime: RowRuntime,
    private readonly entity: Entity<Row>,
  ) {
    this.#columns = [entity.id, ...entity.fields, "version", "created_at", "updated_at"];
  }

  unknown(): Refusal {
    const { name, title } = this.entity;
    return refuse("not_found", `${name}.unknown`, `There is no such ${title}.`);
  }

  /** Refusal: `<name>.unknown`. */
  async get(id: string): Promise<Row | Refusal> {
    return (await this.#one(this.runtime.pool, id)) ?? this.unknown();
  }

  /** Rows in which a field has one of some values, in no order. */
  async having(field: keyof Row & string, values: readonly string[]): Promise<Row[]> {
    return this.#read(this.runtime.pool, `where ${field} = any ($1)`, [values]);
  }

  /** Newest id first; `before` is exclusive. A filter that is a list wants one of its values, an undefined one nothing. */
  async page(filter: Filter<Row>, before: string | null, limit: number): Promise<Row[]> {
    const wanted = Object.entries(filter).filter(([, value]) => value !== undefined);
    const conditions = wanted.map(
      ([field, value], at) => `${field} = ${Array.isArray(value) ? `any ($${at + 3})` : `$${at + 3}`}`,
    );
    const where = ["($1::uuid is null or $id < $1)".replace("$id", this.entity.id), ...conditions];
    return this.#read(
      this.runtime.pool,
      `where ${where.join(" and ")} order by ${this.entity.id} desc limit $2`,
      [before, limit, ...wanted.map(([, value]) => value)],
    );
  }

  /** All of them. */
  async count(): Promise<number> {
    const { rows } = await this.runtime.pool.query<{ count: number }>(
      `select count(*)::integer as count from ${this.entity.table}`,
    );
    return rows[0]?.count ?? 0;
  }

  /** Refusals: `<name>.<field>_taken`. */
  create(fields: Fields<Row>, asked: Asked): Promise<CommandOutcome | Refusal> {
    const { entity } = this;
    const at = new Date(this.runtime.clock.now()).toISOString();
    const row = { ...fields, version: 1, created_at: at, updated_at: at } as Row;
    return this.#change(asked, async (tx) => {
      const places = this.#columns.map((_, index) => `$${index + 1}`).join(", ");
      const { rowCount } = await tx.query(
        `insert into ${entity.table} (${this.#columns.join(", ")}) values (${places}) on conflict do nothing`,
        this.#columns.map((column) => this.#stored(row, column)),
      );
      // Whoever was in the way and is not found has gone this moment.
      if (rowCount === 0) return (await this.#taken(tx, row)) ?? this.#changedMeanwhile();
      return { row, version: 0, events: [creationOf(entity.events, row)] };
    });
  }

  /**
   * `change` gets the row as it is now and says what is to be different, or why not. Refusals: `<name>.unknown`,
   * `<name>.changed_meanwhile` where it is not at `expected_version` any more, `<name>.<field>_taken`.
   */
  async change(
    id: string,
    change: (row: Row) => Partial<Fields<Row>> | Refusal,
    asked: Asked,
    expected_version?: number,
  ): Promise<CommandOutcome | Refusal> {
    const { entity, runtime } = this;
    let unchanged: Row | undefined;
    const outcome = await this.#change(asked, async (tx) => {
      const before = await this.#locked(tx, id, expected_version);
      if (isRefusal(before)) return before;
      const wish = change(before);
      if (isRefusal(wish)) return wish;
      const wanted = { ...before, ...wish };
      const events = updateOf(entity.events, before, wanted, entity.fields);
      if (events.length === 0) {
        unchanged = before;
        return asked.command.fresh === true ? AS_WANTED : { row: before, version: before.version, events };
      }
      const taken = await this.#taken(tx, wanted);
      if (taken !== undefined) return taken;
      const row = {
        ...wanted,
        version: before.version + events.length,
        updated_at: new Date(runtime.clock.now()).toISOString(),
      };
      const sets = this.#columns.map((column, index) => `${column} = $${index + 1}`).join(", ");
      await tx.query(
        `update ${entity.table} set ${sets} where ${entity.id} = $1`,
        this.#columns.map((column) => this.#stored(row, column)),
      );
      return { row, version: before.version, events };
    });
    if (outcome !== AS_WANTED) return outcome;
    await runtime.log.durable();
    return { answer: unchanged, position: await runtime.log.head(), replayed: false };
  }

  /** `allowed` gets the row as it is now. Refusals: its own, `<name>.unknown`, `<name>.changed_meanwhile`. */
  delete(
    id: string,
    allowed: (row: Row) => Refusal | undefined,
    asked: Asked,
    expected_version?: number,
  ): Promise<CommandOutcome | Refusal> {
    const { entity } = this;
    return this.#change(asked, async (tx) => {
      const row = await this.#locked(tx, id, expected_version);
      if (isRefusal(row)) return row;
      const refusal = allowed(row);
      if (refusal !== undefined) return refusal;
      await tx.query(`delete from ${entity.table} where ${entity.id} = $1`, [id]);
      return { row, version: row.version, events: [deletionOf(entity.events, row)] };
    });
  }

  #change({ command, meta }: Asked, work: (tx: PoolClient) => Promise<Changed<Row> | Refusal>) {
    return changeRows(this.runtime, command, async (tx) => {
      const changed = await work(tx);
      if (isRefusal(changed)) return changed;
      const streams = changed.events.length === 0 ? [] : [this.#append(changed)];
      return { streams, answer: changed.row, meta };
    });
  }

  #append({ row, version, events }: Changed<Row>): StreamAppend {
    const { name, id } = this.entity;
    return { stream_id: `${name}-${String(row[id])}`, stream_type: name, expected_version: version, events };
  }

  async #locked(tx: PoolClient, id: string, expected: number | undefined): Promise<Row | Refusal> {
    const row = await this.#one(tx, id, "for update");
    if (row === undefined) return this.unknown();
    return expected === undefined || expected === row.version ? row : this.#changedMeanwhile();
  }

  #changedMeanwhile(): Refusal {
    const { name, title } = this.entity;
    return refuse(
      "conflict",
      `${name}.changed_meanwhile`,
      `This ${title} was changed meanwhile; read it again.`,
    );
  }

  async #taken(tx: PoolClient, row: Row): Promise<Refusal | undefined> {
    const { name, title, id, table, unique = [] } = this.entity;
    for (const field of unique) {
      const { rows } = await tx.query(`select 1 from ${table} where ${field} = $1 and ${id} <> $2`, [
        row[field],
        row[id],
      ]);
      if (rows.length > 0)
        return refuse("conflict", `${name}.${field}_taken`, `There is another ${title} with this ${field}.`);
    }
    return undefined;
  }

  async #one(from: Pool | PoolClient, id: string, lock = ""): Promise<Row | undefined> {
    return (await this.#read(from, `where ${this.entity.id} = $1 ${lock}`, [id]))[0];
  }

  async #read(from: Pool | PoolClient, rest: string, values: unknown[]): Promise<Row[]> {
    const { rows } = await from.query<Record<string, unknown>>(
      `select ${this.#columns.join(", ")} from ${this.entity.table} ${rest}`,
      values,
    );
    return rows.map(
      (row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            value instanceof Date ? value.toISOString() : value,
          ]),
        ) as unknown as Row,
    );
  }

  /** A list would become an array of SQL, and a string no JSON at all. */
  #stored(row: Row, column: string): unknown {
    const value = row[column as keyof Row];
    return (this.entity.json as readonly string[] | undefined)?.includes(column) === true
      ? JSON.stringify(value)
      : value;
  }
}

interface Changed<Row> {
  readonly row: Row;
  /** Of the stream, before. */
  readonly version: number;
  /** None: the row is as it was wanted, and the answer alone is kept. */
  readonly events: readonly NewEvent[];
}
