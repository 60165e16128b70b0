import { setTimeout as pause } from "node:timers/promises";
import type { Client, ClientConfig } from "pg";
import { LazyConnection, sessionConfig } from "./connection";

const CHANNEL = "es_appended";
const PAUSE_FIRST_MS = 50;
const PAUSE_MAX_MS = 5_000;

/**
 * Hears over LISTEN that another node (or a row change of this one) has appended. Connects again when the connection
 * breaks, and then signals once for whatever was missed.
 */
export class AppendSignal {
  readonly #connection: LazyConnection;
  #closed: AbortController = new AbortController();

  constructor(
    connection: ClientConfig,
    /** Its own notifications are skipped: it has woken everybody here already. */
    private readonly appender: string,
    private readonly heard: () => void,
    private readonly warn: (message: string) => void,
    /** What has to be done before a connection is used. */
    private readonly check: (client: Client) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#connection = new LazyConnection(
      sessionConfig(connection, "forno event log: listen"),
      (client) => this.#listen(client),
      (cause) => {
        if (this.#closed.signal.aborted) return;
        this.warn(
          `The event log's signal broke off (${cause?.message ?? "closed by the server"}); connecting again.`,
        );
        void this.#reconnect();
      },
    );
  }

  async start(): Promise<void> {
    await this.#connection.client();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#connection.drop();
  }

  async #listen(client: Client): Promise<void> {
    await this.check(client);
    client.on("notification", ({ payload }) => {
      if (payload !== this.appender) this.heard();
    });
    await client.query(`listen ${CHANNEL}`);
  }

  async #reconnect(): Promise<void> {
    for (
      let wait_ms = PAUSE_FIRST_MS;
      !this.#closed.signal.aborted;
      wait_ms = Math.min(2 * wait_ms, PAUSE_MAX_MS)
    ) {
      try {
        await this.#connection.client();
        this.heard();
        return;
      } catch (error) {
        this.warn(`The event log's signal is not back yet: ${String(error)}`);
        await pause(wait_ms, undefined, { signal: this.#closed.signal, ref: false }).catch(() => undefined);
      }
    }
  }
}
