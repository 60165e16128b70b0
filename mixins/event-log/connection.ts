import { Client, type ClientConfig } from "pg";
import { distrustCancelledWaits } from "../postgres/cancelled-wait";

/** A statement that found its way to a dead network is given up after so long; above the server's own limit. */
const QUERY_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** Limits of one statement of the log, in the server. Lock: many times the longest batch of another node. */
const SESSION = [
  "timezone=UTC",
  "datestyle=ISO",
  "statement_timeout=10000",
  "lock_timeout=5000",
  "idle_in_transaction_session_timeout=5000",
];

/** Settings of a connection of the log. */
export function sessionConfig(connection: ClientConfig, application_name: string): ClientConfig {
  return {
    ...connection,
    application_name,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    options: [connection.options ?? "", ...SESSION.map((setting) => `-c ${setting}`)].join(" ").trim(),
  };
}

/**
 * One connection that is made when it is needed and made again after it broke. For one user at a time.
 */
export class LazyConnection {
  #client: Promise<Client> | undefined;
  #alive: Client | undefined;

  constructor(
    private readonly config: ClientConfig,
    private readonly prepare: (client: Client) => Promise<void> = () => Promise.resolve(),
    private readonly lost: (cause: Error | undefined) => void = () => undefined,
  ) {}

  async client(): Promise<Client> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  /** Lets the present connection go, whatever state it is in; the next `client()` makes another. */
  async drop(): Promise<void> {
    const dropped = this.#client;
    this.#client = undefined;
    this.#alive = undefined;
    const client = await dropped?.catch(() => undefined);
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<Client> {
    const client = new Client(this.config);
    let cause: Error | undefined;
    client.on("error", (error) => (cause = error));
    distrustCancelledWaits(client);
    try {
      await client.connect();
      await this.prepare(client);
    } catch (error) {
      this.#client = undefined;
      void client.end().catch(() => undefined);
      throw error;
    }
    this.#alive = client;
    client.once("end", () => {
      if (this.#alive !== client) return;
      this.#alive = undefined;
      this.#client = undefined;
      this.lost(cause);
    });
    return client;
  }
}
