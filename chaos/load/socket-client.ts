import { setTimeout as pause } from "node:timers/promises";
import type { DoorName, Heard, Person as Who, SocketRecord } from "../checks/evidence";
import { digestOf } from "../model/digest";
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
/** After so many messages a client leaves by itself, as people do who walk out of the Wi-Fi, and comes back for what it missed. */
const LEAVES_AFTER = 150;
const GUEST: Who = { role: "guest", user_id: null, branch_ids: null };

export interface SocketClientOptions {
  readonly name: string;
  readonly door: DoorName;
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
    const { name, door, person, track, after } = this.options;
    return {
      ...{ name, door, after },
      person: person?.who ?? GUEST,
      tracked: track === undefined ? [] : [track.order_id],
      heard: this.#heard,
      resyncs: this.#resyncs,
    };
  }

  /** Forgets what was heard beyond a position. */
  rewind(position: number): void {
    this.#connection?.cut();
    this.#connection = undefined;
    const kept = this.#heard.filter((heard) => heard.position <= position);
    this.#heard.splice(0, this.#heard.length, ...kept);
    this.#position = Math.min(this.#position, position);
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
    const { door, by, person, track } = this.options;
    const token = await person?.token();
    if (this.#isStopped()) return;
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
    if (this.#connection === connection) this.#connection = undefined;
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
    if (type.includes(":") && this.#heard.length % LEAVES_AFTER === 0) this.#connection?.cut();
  }

  #isStopped(): boolean {
    return this.#stopped;
  }
}
