import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ClientConfig } from "pg";

/**
 * What happens to the next message on a connection:
 * - `before`: it never reaches the server, and the connection breaks;
 * - `after`: the server does as asked, and the connection breaks instead of bringing its answer;
 * - `late`: the connection breaks first, and the message reaches the server only when `release` is called.
 */
export type Cut = "before" | "after" | "late";

/** Stands between a client and PostgreSQL's Unix socket, and cuts connections at the worst moments. */
export class CuttingProxy {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "forno-cut-"));
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #released: (() => void)[] = [];
  #cuts: Cut[] = [];
  /** Connections broken so far. */
  cuts_done = 0;

  constructor(
    private readonly target: ClientConfig,
    /** Only connections whose start-up message contains this are cut. */
    private readonly victim: string,
  ) {
    this.#server = createServer((client) => {
      this.#carry(client);
    });
  }

  async start(): Promise<ClientConfig> {
    await new Promise<void>((resolve) =>
      this.#server.listen(path.join(this.#folder, ".s.PGSQL.5432"), resolve),
    );
    return { ...this.target, host: this.#folder };
  }

  /** Cuts the next messages, one after another. */
  cutNext(...cuts: Cut[]): void {
    this.#cuts.push(...cuts);
  }

  /** Lets late messages reach the server. */
  release(): void {
    for (const release of this.#released.splice(0)) release();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #carry(client: Socket): void {
    const server = createConnection(path.join(this.target.host ?? "", ".s.PGSQL.5432"));
    let started = false;
    let isVictim = false;
    let swallow = false;
    let held = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy()).on("close", () => this.#sockets.delete(socket));
    }
    client.on("close", () => {
      if (!held) server.end();
    });
    server.on("close", () => client.destroy());
    client.on("data", (chunk) => {
      if (!started) isVictim = chunk.includes(this.victim);
      const cut = started && isVictim && !swallow ? this.#cuts.shift() : undefined;
      started = true;
      if (cut === undefined) server.write(chunk);
      else this.cuts_done += 1;
      if (cut === "after") {
        swallow = true;
        server.write(chunk);
      }
      if (cut === "late") {
        held = true;
        this.#released.push(() => server.end(chunk));
      }
      if (cut === "before" || cut === "late") client.destroy();
    });
    server.on("data", (chunk) => {
      if (swallow) client.destroy();
      else client.write(chunk);
    });
  }
}
