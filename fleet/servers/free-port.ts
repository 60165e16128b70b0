import { createServer } from "node:net";

const FIRST = 10_000;
/** Below the ports that the kernel hands to outgoing connections: one of those could take a free port before its server does. */
const LAST = 32_000;
/** Ports for each of jest's workers, so that two never try the same one. */
const WORKERS = 8;
const EACH = Math.floor((LAST - FIRST) / WORKERS);

let next = Math.floor(Math.random() * EACH);

/** A port on which nothing listens, for a server that must come back to the same one. Not handed out again by this worker. */
export async function freePort(): Promise<number> {
  const worker = (Number(process.env["JEST_WORKER_ID"] ?? "1") - 1) % WORKERS;
  for (let tried = 0; tried < EACH; tried += 1) {
    const port = FIRST + worker * EACH + (next++ % EACH);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port among ${String(EACH)} of worker ${String(worker + 1)}`);
}

/** Whether nothing listens on a port of this machine. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, "127.0.0.1", () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}
