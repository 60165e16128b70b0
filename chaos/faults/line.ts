import {
  createConnection,
  createServer,
  type ListenOptions,
  type NetConnectOpts,
  type Server,
  type Socket,
} from "node:net";

/**
 * Stands between clients and a server and can hold everything, as a network does that has come apart: connections stay, new
 * ones are taken, nothing passes, and nobody is told.
 */
export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held = false;

  constructor(private target: NetConnectOpts) {
    this.#server = createServer((client) => {
      this.#take(client);
    });
  }

  async listen(at: ListenOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(at, resolve);
    });
  }

  /** Connections from now on lead elsewhere. */
  protected leadTo(target: NetConnectOpts): void {
    this.target = target;
  }

  /** Nothing passes any more, either way. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What was held goes on. */
  resume(): void {
    this.#held = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** How one connection is carried; bytes pass as they come. */
  protected carry(client: Socket, server: Socket): void {
    client.on("close", () => server.end());
    client.on("data", (chunk) => server.write(chunk));
    server.on("data", (chunk) => client.write(chunk));
  }

  #take(client: Socket): void {
    const server = createConnection(this.target);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy()).on("close", () => this.#sockets.delete(socket));
    }
    server.on("close", () => client.destroy());
    this.carry(client, server);
    if (this.#held) for (const socket of [client, server]) socket.pause();
  }
}
