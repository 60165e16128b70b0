import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Stands between clients and a server. It cuts connections, or holds them as a network does that has come apart. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held = false;

  /** @param target a port on loopback, or the path of a Unix socket. */
  constructor(private target: number | string) {
    this.#server = createServer((client) => {
      const to = this.target;
      const server = typeof to === "number" ? connect(to, "127.0.0.1") : connect(to);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from);
        from.on("data", (chunk) => to.write(chunk));
        from.on("error", () => from.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        if (this.#held) from.pause();
      }
    });
  }

  /** Listens; answers with its port. */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection; new ones get through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Another server takes this one's place, as behind a virtual IP: every connection breaks, new ones get to it. */
  moveTo(target: number | string): void {
    this.target = target;
    this.cut();
  }

  /** Nothing passes any more, either way, and nobody is told. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What is open now is never heard of again, and nobody is told; new connections get through. */
  strand(): void {
    this.hold();
    this.#held = false;
  }

  /** What was held goes on. */
  resume(): void {
    this.#held = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
