import { mkdtempSync, rmSync } from "node:fs";
import type { NetConnectOpts, Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ClientConfig } from "pg";
import { Line } from "./line";

/**
 * What happens to the next message on a connection:
 * - `before`: it never reaches the server, and the connection breaks;
 * - `after`: the server does as asked, and the connection breaks instead of bringing its answer;
 * - `late`: the connection breaks first, and the message reaches the server only when `release` is called.
 */
export type Cut = "before" | "after" | "late";

/** First bytes of what a client says before it asks for anything: a password, or goodbye. */
const SMALL_TALK = new Set(["p", "X"].map((letter) => letter.charCodeAt(0)));

/** Stands between a client and PostgreSQL, by a Unix socket of its own, and cuts connections at the worst moments. */
export class CuttingProxy extends Line {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "forno-cut-"));
  readonly #released: (() => void)[] = [];
  readonly #asked: (() => void)[] = [];
  #cuts: Cut[] = [];
  /** Connections broken so far. */
  cuts_done = 0;

  constructor(
    private readonly server: ClientConfig,
    /** Only connections whose start-up message contains this are cut. */
    private readonly victim: string,
  ) {
    super(endOf(server));
  }

  /** Listens; answers with how to connect through here. */
  async start(): Promise<ClientConfig> {
    await this.listen({ path: path.join(this.#folder, ".s.PGSQL.5432") });
    return { ...this.server, host: this.#folder, port: 5432 };
  }

  /** From now on clients are led to another server, which knows them by the same password. */
  redirect(server: ClientConfig): void {
    this.leadTo(endOf(server));
  }

  /** Cuts the next messages, one after another. */
  cutNext(...cuts: Cut[]): void {
    this.#cuts.push(...cuts);
  }

  /** Forgets cuts that have not met a message. */
  spare(): void {
    this.#cuts = [];
  }

  /** Lets late messages reach the server. */
  release(): void {
    for (const release of this.#released.splice(0)) release();
  }

  /** Resolves at the next message of a victim, before its answer. */
  async asked(): Promise<void> {
    await new Promise<void>((resolve) => this.#asked.push(resolve));
  }

  override async stop(): Promise<void> {
    await super.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  protected override carry(client: Socket, server: Socket): void {
    let started = false;
    let isVictim = false;
    let swallow = false;
    let kept = false;
    client.on("close", () => {
      if (!kept) server.end();
    });
    client.on("data", (chunk) => {
      const asks = started && isVictim && !swallow && !SMALL_TALK.has(chunk[0] ?? 0);
      if (!started) isVictim = chunk.includes(this.victim);
      started = true;
      const cut = asks ? this.#cuts.shift() : undefined;
      if (cut === undefined || cut === "after") server.write(chunk);
      if (asks) for (const tell of this.#asked.splice(0)) tell();
      if (cut === undefined) return;
      this.cuts_done += 1;
      swallow = cut === "after";
      if (cut === "late") {
        kept = true;
        this.#released.push(() => server.end(chunk));
      }
      if (cut !== "after") client.destroy();
    });
    server.on("data", (chunk) => {
      if (swallow) client.destroy();
      else client.write(chunk);
    });
  }
}

function endOf({ host = "localhost", port = 5432 }: ClientConfig): NetConnectOpts {
  return host.startsWith("/") ? { path: path.join(host, `.s.PGSQL.${String(port)}`) } : { host, port };
}
