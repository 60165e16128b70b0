import type { Client } from "pg";

/** Worded as node-postgres words a connection that broke, and treated alike: nobody knows what came of the commit. */
class CommitUnconfirmedError extends Error {
  constructor() {
    super("Connection terminated: a commit was told to wait for its standby no longer");
  }
}

/** Where PostgreSQL waits for a synchronous standby. Texts of the server are translated, names of its routines are not. */
const WAITING_FOR_STANDBY = "SyncRepWaitForLSN";

/**
 * Breaks a connection whose commit was cancelled while it waited for the synchronous standby (`pg_cancel_backend`): PostgreSQL
 * warns, and then answers as if the commit were safe, though it is on one machine alone. So whoever asked hears a fault instead.
 */
export function distrustCancelledWaits(client: Client): void {
  client.on("notice", ({ routine }) => {
    // In this very turn: the server's "done" may be in the same packet as its warning.
    if (routine === WAITING_FOR_STANDBY) client.connection.emit("error", new CommitUnconfirmedError());
  });
}
