import WebSocket from "ws";

export interface SocketMessage {
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly position: number;
}

/**
 * A desk's plain WebSocket that comes back by itself where it stopped, as a good client does, and keeps every message that it
 * was sent.
 */
export class ErpSocket {
  readonly messages: SocketMessage[] = [];
  #socket: WebSocket | undefined;
  #closed = false;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private position?: number,
  ) {}

  /** Resolves once the first message (the server's greeting) is there. */
  connect(): Promise<void> {
    return new Promise((resolve) => {
      const after = this.position === undefined ? "" : `?after=${String(this.position)}`;
      const socket = new WebSocket(`${this.url.replace("http", "ws")}/api/v1/erp/ws${after}`);
      this.#socket = socket;
      socket.on("open", () => {
        socket.send(JSON.stringify({ type: "auth", token: this.token }));
      });
      socket.on("message", (bytes: Buffer) => {
        const message = JSON.parse(bytes.toString()) as SocketMessage;
        this.messages.push(message);
        if (typeof message.position === "number") this.position = message.position;
        resolve();
      });
      socket.on("error", () => undefined);
      socket.on("close", () => {
        if (!this.#closed) setTimeout(() => void this.connect().then(resolve), 50);
      });
    });
  }

  /** Ids of the orders that were announced, in the order of the messages. */
  created(): string[] {
    return this.messages
      .filter(({ type }) => type === "order:created")
      .map(({ data }) => String(data["order_id"]));
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }
}
