import type { ClientConfig } from "pg";
import { LazyConnection, sessionConfig } from "./connection";
import { wentBack } from "./database-fault";
import { Insistence } from "./insistence";
import type { LineageWatch } from "./lineage-watch";
import type { Pulse } from "./pulse";

/**
 * The shortest transaction whose commit waits as an append's does: a message in the WAL that nobody reads. It leaves no row
 * behind, and unlike a bare transaction id it does wait.
 */
const WRITE = "select pg_logical_emit_message(true, 'forno', '')";

/**
 * Behind it, what was read before is as safe as an append that was acknowledged. A commit can be seen before it is safe: cut off
 * while it waited for the synchronous standby, or brought back by a server that crashed meanwhile, it stands on one machine
 * alone, and who only reads waits for nobody. The WAL has one order, so when a commit of our own is safe, so is all before it: in
 * the log that was read. When another one is found meanwhile, nothing is known of what was read before.
 *
 * One barrier at a time. Whoever comes while one is on its way may have read after it was sent, and takes the next, together
 * with all others who come meanwhile.
 */
export class DurableBarrier {
  readonly #connection: LazyConnection;
  readonly #insistence: Insistence;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(
    connection: ClientConfig,
    pulse: Pulse,
    private readonly lineage: LineageWatch,
    try_for_ms: number,
  ) {
    const config = sessionConfig(connection, "forno event log: barrier");
    this.#connection = new LazyConnection(config, lineage.check);
    this.#insistence = new Insistence(this.#connection, pulse, try_for_ms);
  }

  /** @throws UnavailableError `log.unavailable` when that cannot be said in time. */
  pass(): Promise<void> {
    const { generation } = this.lineage;
    if (this.#current === undefined) return (this.#current = this.#write(generation));
    this.#next ??= this.#after(this.#current, generation);
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#connection.drop();
  }

  async #after(current: Promise<void>, read_under: number): Promise<void> {
    await current.catch(() => undefined);
    this.#next = undefined;
    this.#current = this.#write(read_under);
    return this.#current;
  }

  async #write(read_under: number): Promise<void> {
    try {
      await this.#insistence.untilAnswered((client) => client.query(WRITE));
      if (read_under !== this.lineage.generation) throw wentBack();
    } finally {
      this.#current = undefined;
    }
  }
}
