import { setTimeout as pause } from "node:timers/promises";
import { digestOf } from "../checks/digest";
import type { Heard, SocketRecord } from "../checks/evidence";
import { GUEST } from "../../mixins/contract/caller";
import { DOORS, type Audience } from "../../services/gateway/socket/doors";
import type { Person } from "./people";
import {
  ioConnection,
  plainConnection,
  type SocketConnection,
  type SocketMessage,
} from "./socket-connection";

const PING_EVERY_MS = 1_000;
/** A server that has not even answered a ping for so long is given up. */
const SILENCE_MS_MAX = 4_000;
const COME_BACK_MS = 50;

export interface SocketClientOptions {
  readonly name: string;
  readonly audience: Audience;
  readonly by: "plain" | "socket.io";
  /** A guest without. */
  readonly person?: Person;
  readonly track?: { readonly token: string; readonly order_id: string };
  readonly after: number;
}

/** A client that comes back where it stopped, to the next node, and keeps what it hears. */
export class SocketClient {
  readonly #heard: Heard[] = [];
  readonly #resyncs: { from: number; to: number }[] = [];
  #position: number;
  #stopped = false;
  #connection: SocketConnection | undefined;
  #heard_at = 0;
  readonly #running: Promise<void>;
  /** Connections that it has made. */
  connections = 0;

  constructor(
    private readonly options: SocketClientOptions,
    private readonly urls: readonly string[],
    private readonly first_node: number,
    private readonly onHeard: (name: string, heard: Heard) => void,
  ) {
    this.#position = options.after;
    this.#running = this.#run();
  }

  /** Last position of which it knows that it has heard everything up to there. */
  get position(): number {
    return this.#position;
  }

  get record(): SocketRecord {
    const { name, audience, person, track, after } = this.options;
    return {
      ...{ name, audience, after },
      caller: person?.caller ?? GUEST,
      tracked: track === undefined ? [] : [track.order_id],
      heard: this.#heard,
      resyncs: this.#resyncs,
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#connection?.cut();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let node = this.first_node; !this.#isStopped(); node += 1) {
      await this.#connect(this.urls[node % this.urls.length] ?? "").catch(() => undefined);
      await pause(COME_BACK_MS);
    }
  }

  async #connect(url: string): Promise<void> {
    const { audience, by, person, track } = this.options;
    const token = await person?.token();
    const door = DOORS.find((each) => each.audience === audience);
    if (door === undefined || this.#isStopped()) return;
    const open = by === "plain" ? plainConnection : ioConnection;
    const wish = { url, door, token, after: this.#position, track: track?.token };
    const connection = open(wish, (message) => {
      // What a connection that was given up still brings would be heard again on the next one.
      if (this.#connection === connection) this.#hear(message);
    });
    this.#connection = connection;
    this.connections += 1;
    this.#heard_at = performance.now();
    const beat = setInterval(() => {
      if (performance.now() - this.#heard_at > SILENCE_MS_MAX) connection.cut();
      else connection.ping();
    }, PING_EVERY_MS);
    await connection.ended;
    clearInterval(beat);
    this.#connection = undefined;
  }

  #hear({ type, data, position }: SocketMessage): void {
    this.#heard_at = performance.now();
    if (type === "resync_required") this.#resyncs.push({ from: this.#position, to: position });
    if (type.includes(":")) {
      const heard = { type, position, digest: digestOf(data) };
      this.#heard.push(heard);
      this.onHeard(this.options.name, heard);
    }
    if (Number.isSafeInteger(position)) this.#position = position;
  }

  #isStopped(): boolean {
    return this.#stopped;
  }
}
