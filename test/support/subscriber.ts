import { io, type Socket } from "socket.io-client";
import WebSocket from "ws";
import { eventually } from "./eventually";

type Fields = Readonly<Record<string, unknown>>;

/** A client of `/subscribe` or of the namespace `/cameras`: both hear the same frames. */
export abstract class Subscriber {
  readonly frames: Fields[] = [];
  /** Why it was turned away or closed. */
  ended: { code: number | undefined; reason: string } | undefined;

  static to(way: "plain" | "socket.io", port: number, token?: string): Subscriber {
    return way === "plain" ? new PlainSubscriber(port, token) : new IoSubscriber(port, token);
  }

  abstract send(frame: { type: string; [field: string]: unknown }): void;
  abstract close(): void;
  /** Reads nothing more, as a program that hangs. */
  abstract pause(): void;

  of(type: string): Fields[] {
    return this.frames.filter((frame) => frame["type"] === type);
  }

  /** What of an entity it has heard. */
  heard(entity = "CameraEvents"): Fields[] {
    return this.frames.filter((frame) => entity in frame).map((frame) => frame[entity] as Fields);
  }

  /** Resolves with the `count`-th frame of a type. */
  answer(type: string, count = 1): Promise<Fields> {
    return eventually(() => {
      const found = this.of(type)[count - 1];
      if (found === undefined)
        throw new Error(`no ${type} among ${JSON.stringify(this.frames)}, ${JSON.stringify(this.ended)}`);
      return found;
    });
  }

  /** Sends a frame; resolves with the answer to it. */
  async ask(frame: { type: string; [field: string]: unknown }, answer: string): Promise<Fields> {
    const before = this.of(answer).length;
    this.send(frame);
    return this.answer(answer, before + 1);
  }

  subscribe(request: object = {}, more: object = {}): Promise<Fields> {
    return this.ask({ type: "subscribe", payload: { CameraEvents: request }, ...more }, "subscribed");
  }

  async joined(): Promise<this> {
    await this.answer("connection_ack");
    return this;
  }

  hasEnded(): Promise<{ code: number | undefined; reason: string }> {
    return eventually(() => {
      if (this.ended === undefined) throw new Error("still there");
      return this.ended;
    });
  }
}

class PlainSubscriber extends Subscriber {
  readonly #ws: WebSocket;

  constructor(port: number, token: string | undefined) {
    super();
    const query = token === undefined ? "" : `?access_token=${token}`;
    this.#ws = new WebSocket(`ws://127.0.0.1:${String(port)}/subscribe${query}`);
    this.#ws.on("message", (bytes: Buffer) => this.frames.push(JSON.parse(bytes.toString()) as Fields));
    this.#ws.on("close", (code, reason) => (this.ended = { code, reason: reason.toString() }));
    this.#ws.on("error", () => undefined);
  }

  send(frame: object): void {
    const text = JSON.stringify(frame);
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(text);
    else this.#ws.once("open", () => this.#ws.send(text));
  }

  close(): void {
    this.#ws.terminate();
  }

  pause(): void {
    this.#ws.pause();
  }
}

class IoSubscriber extends Subscriber {
  readonly #socket: Socket;

  constructor(port: number, token: string | undefined) {
    super();
    const auth = token === undefined ? {} : { token };
    const options = { auth, transports: ["websocket"], forceNew: true, reconnection: false };
    this.#socket = io(`http://127.0.0.1:${String(port)}/cameras`, options);
    this.#socket.onAny((type: string, frame: Fields) => {
      if (type !== frame["type"] && !(type in frame)) throw new Error(`${type} carries another frame`);
      this.frames.push(frame);
    });
    this.#socket.on("connect_error", (error: Error & { data?: { code: string } }) => {
      this.ended = { code: undefined, reason: error.data?.code ?? error.message };
    });
    this.#socket.on("disconnect", () => {
      const why = this.of("closing")[0]?.["data"] as { code: number; reason: string } | undefined;
      this.ended = why ?? { code: undefined, reason: "disconnected" };
    });
  }

  send({ type, ...fields }: { type: string }): void {
    this.#socket.emit(type, fields);
  }

  close(): void {
    // A socket that reads nothing would not hear that it is closed, either.
    this.#wire?.resume();
    this.#socket.disconnect();
  }

  pause(): void {
    this.#wire?.pause();
  }

  /** Undefined once it is closed. */
  get #wire(): WebSocket | undefined {
    return (this.#socket.io.engine as { transport?: { ws?: WebSocket } } | undefined)?.transport?.ws;
  }
}
