import { DatabaseError, type ClientConfig } from "pg";
import { LazyConnection, sessionConfig } from "./connection";

/** Work that takes longer makes us ask whether the server is there at all. Almost everything takes a few milliseconds. */
const ASK_AFTER_MS = 1_000;
/** A server that lives, however busy, answers `select 1` by then. */
const PATIENCE_MS = 1_250;

/** The server does not answer anybody; worded as node-postgres words its timeouts, and treated alike. */
export class NoPulseError extends Error {
  constructor() {
    super("Query read timeout: the server does not answer at all");
  }
}

/**
 * Tells a server that is slow from one that hangs (frozen, or behind a network that swallows packets). To wait for the first
 * is right; to wait for the second until a timeout long enough for the first has passed would keep everybody waiting.
 */
export class Pulse {
  readonly #connection: LazyConnection;
  #beat: Promise<boolean> | undefined;

  constructor(connection: ClientConfig) {
    this.#connection = new LazyConnection({
      ...sessionConfig(connection, "forno event log: pulse"),
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
    });
  }

  /** The result of the work, however long that takes while the server answers others. @throws NoPulseError when it does not. */
  async during<T>(work: Promise<T>): Promise<T> {
    while (!(await settledWithin(work, ASK_AFTER_MS)))
      if (!(await this.#beats()) && !(await settledWithin(work, 0))) throw new NoPulseError();
    return work;
  }

  close(): Promise<void> {
    return this.#connection.drop();
  }

  /** One question at a time, for all who wait. */
  #beats(): Promise<boolean> {
    this.#beat ??= this.#ask().finally(() => (this.#beat = undefined));
    return this.#beat;
  }

  async #ask(): Promise<boolean> {
    try {
      await (await this.#connection.client()).query("select 1");
      return true;
    } catch (error) {
      void this.#connection.drop();
      // "Too many connections" and the like are answers.
      return error instanceof DatabaseError;
    }
  }
}

/** A process that was itself asleep finds its timers due before its mail; after them one turn brings the mail. */
async function settledWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, false), ms);
  });
  const settled = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
