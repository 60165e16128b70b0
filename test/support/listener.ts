import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import WebSocket from "ws";
import { eventually } from "./eventually";

export interface Heard {
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly timestamp: string;
  readonly position: number;
}

/** Messages kept as they came; enough for those who look for bytes. */
const RAW_MAX = 64;

/** What both kinds of test client have. */
export interface Listener {
  readonly heard: Heard[];
  /** Everything that came over the wire, as bytes or text. */
  readonly raw: string[];
  send(frame: { type: string; [field: string]: unknown }): void;
  close(): void;
}

/** The messages about events, without those about the connection. */
export const news = ({ heard }: Pick<Listener, "heard">): Heard[] =>
  heard.filter(({ type }) => type.includes(":"));
export const positions = (listener: Pick<Listener, "heard">): number[] =>
  news(listener).map(({ position }) => position);
/** The first message of a type, once it is there. */
export const heardOf = (listener: Listener, type: string): Promise<Heard> =>
  eventually(() => {
    const found = listener.heard.find((message) => message.type === type);
    if (found === undefined)
      throw new Error(`nothing of ${type}: ${listener.heard.map((one) => one.type).join()}`);
    return found;
  });

/** A plain WebSocket client. */
export class PlainListener implements Listener {
  readonly heard: Heard[] = [];
  readonly raw: string[] = [];
  closed: { code: number; reason: string } | undefined;
  /** HTTP status of an upgrade that was refused. */
  status: number | undefined;
  readonly ws: WebSocket;

  constructor(port: number, path: string, options: WebSocket.ClientOptions = {}) {
    this.ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false, ...options });
    this.ws.on("message", (bytes: Buffer) => {
      if (this.raw.length < RAW_MAX) this.raw.push(bytes.toString("latin1"));
      this.heard.push(JSON.parse(bytes.toString()) as Heard);
    });
    this.ws.on("close", (code, reason) => (this.closed = { code, reason: reason.toString() }));
    this.ws.on("unexpected-response", (_req, res) => {
      this.status = res.statusCode;
      this.ws.terminate();
    });
    this.ws.on("error", () => undefined);
  }

  opened(): Promise<void> {
    return eventually(() => {
      if (this.ws.readyState !== WebSocket.OPEN) throw new Error("not open");
    });
  }

  /** Resolves with the close code once the server has closed it. */
  ended(): Promise<{ code: number; reason: string }> {
    return eventually(() => {
      if (this.closed === undefined) throw new Error("still open");
      return this.closed;
    });
  }

  send(frame: { type: string; [field: string]: unknown }): void {
    this.ws.send(JSON.stringify(frame));
  }

  close(): void {
    this.ws.terminate();
  }
}

/** A socket.io client in one namespace. */
export class IoListener implements Listener {
  readonly heard: Heard[] = [];
  readonly raw: string[] = [];
  /** It could not connect; `refusal` says why, where the server did. */
  failed = false;
  refusal: { code: string } | undefined;
  disconnected: string | undefined;
  readonly socket: Socket;

  constructor(
    port: number,
    namespace: string,
    auth: object = {},
    options: Partial<ManagerOptions & SocketOptions> = {},
  ) {
    this.socket = io(`http://127.0.0.1:${port}${namespace}`, {
      ...{ auth, transports: ["websocket"], forceNew: true, reconnection: false },
      ...options,
    });
    this.socket.onAny((type: string, message: Heard) => {
      if (type !== message.type) throw new Error(`event ${type} carries a ${message.type}`);
      if (this.raw.length < RAW_MAX) this.raw.push(JSON.stringify(message));
      this.heard.push(message);
    });
    this.socket.on("connect_error", (error) => {
      this.failed = true;
      this.refusal = (error as Error & { data?: { code: string } }).data;
    });
    this.socket.on("disconnect", (reason) => (this.disconnected = reason));
  }

  send({ type, ...payload }: { type: string; [field: string]: unknown }): void {
    this.socket.emit(type, payload);
  }

  close(): void {
    this.socket.disconnect();
  }
}
