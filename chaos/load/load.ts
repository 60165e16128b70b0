import { createWriteStream, type WriteStream } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Heard, SocketRecord } from "../checks/evidence";
import type { History } from "../history";
import type { Random } from "../random";
import { customerStory, type SharedOrders } from "./customer";
import { menuStory, quarrelStory, rulesStory } from "./desk";
import { GrpcClient } from "./grpc-client";
import { Recorder } from "./recorder";
import { RestClient } from "./rest-client";
import { SocketClient } from "./socket-client";
import type { World } from "./world";

/** Shop clients that follow an order by its token. */
const TRACKERS_MAX = 6;
const SOCKETS_SETTLE_MS = 20_000;

export interface LoadOptions {
  readonly urls: readonly string[];
  /** `host:port` of the nodes' gRPC. */
  readonly grpc: readonly string[];
  readonly world: World;
  readonly random: Random;
  readonly history: History;
  readonly folder: string;
  /** Customers at the same time. */
  readonly customers: number;
  /** Longest pause of a customer between two stories. */
  readonly think_ms_max: number;
  /** Head of the log when the load begins. */
  readonly after: number;
}

/** Clients of all kinds, at work until they are stopped. */
export class Load {
  /** Milliseconds since the epoch. */
  readonly began_ms = Date.now();
  readonly #began_ms = performance.now();
  readonly #sockets: SocketClient[] = [];
  readonly #shared: SharedOrders = [];
  readonly #people: Promise<void>[] = [];
  readonly #file: WriteStream;
  readonly #abandoned = new AbortController();
  #stopped = false;
  #trackers = 0;

  constructor(private readonly options: LoadOptions) {
    this.#file = createWriteStream(path.join(options.folder, "sockets.jsonl"));
    this.#openSockets();
    const { world } = options;
    for (let n = 1; n <= options.customers; n += 1)
      this.#employ(`customer-${n}`, options.think_ms_max, (random, recorder) =>
        customerStory(world, random, recorder, this.#shared, ({ order_id, position, track_url }) => {
          if (this.#trackers < TRACKERS_MAX && random.chance(0.2)) this.#track(order_id, position, track_url);
        }),
      );
    this.#employ("menu", 2_000, (random, recorder) => menuStory(world, random, recorder));
    this.#employ("rules", 500, (random, recorder) => rulesStory(world, random, recorder));
    for (const name of ["quarrel-1", "quarrel-2"])
      this.#employ(name, 200, (random, recorder) => quarrelStory(world, random, recorder, this.#shared));
  }

  /** Milliseconds since the load began, as in the history. */
  now_ms(): number {
    return Math.round(performance.now() - this.#began_ms);
  }

  /** What a client did badly, beside what the checks find: nobody's fault but the harness's. */
  readonly mishaps: string[] = [];

  /** Ends all stories; what was begun is asked for until it is answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#people);
  }

  /** Ends everything at once; there will be no checks. */
  async abandon(): Promise<void> {
    this.#abandoned.abort();
    await this.stop();
    await Promise.all(this.#sockets.map((socket) => socket.stop()));
  }

  /** Waits until the sockets have heard everything up to a position, then ends them. What is missing then was missed. */
  async hangUp(position: number): Promise<readonly SocketRecord[]> {
    const deadline = performance.now() + SOCKETS_SETTLE_MS;
    while (this.#sockets.some((socket) => socket.position < position) && performance.now() < deadline)
      await pause(100);
    await Promise.all(this.#sockets.map((socket) => socket.stop()));
    await new Promise<void>((resolve) => this.#file.end(resolve));
    return this.#sockets.map(({ record }) => record);
  }

  /** Whoever listens forgets what was heard beyond a position. */
  rewind(position: number): void {
    for (const socket of this.#sockets) socket.rewind(position);
  }

  /** Connections that all socket clients made together. */
  get connections(): number {
    return this.#sockets.reduce((sum, { connections }) => sum + connections, 0);
  }

  #employ(
    name: string,
    think_ms_max: number,
    story: (random: Random, recorder: Recorder) => Promise<void>,
  ): void {
    const { urls, grpc, random, history } = this.options;
    const own = random.fork(name);
    const over = this.#abandoned.signal;
    const byGrpc = new GrpcClient({ nodes: grpc, random: own.fork("grpc"), over });
    const recorder = new Recorder(
      name,
      new RestClient(urls, own.fork("nodes"), over),
      byGrpc,
      history,
      this.#began_ms,
    );
    this.#people.push(
      (async () => {
        for (let n = 1; !this.#stopped && !history.full; n += 1) {
          const chapter = own.fork(`story ${n}`);
          await story(chapter, recorder).catch((error: unknown) =>
            this.mishaps.push(`${name}: ${String(error)}`),
          );
          await pause(chapter.between(1, think_ms_max));
        }
        byGrpc.close();
      })(),
    );
  }

  #openSockets(): void {
    const { world, urls } = this.options;
    const { admin, staff } = world;
    for (const [at, url] of urls.entries()) {
      const node = `node ${at + 1}`;
      const cook = staff.filter(({ who }) => who.role === "cook")[at % world.branches.length];
      const manager = staff.filter(({ who }) => who.role === "manager")[at % world.branches.length];
      if (cook === undefined || manager === undefined || url === "") continue;
      this.#open(at, {
        name: `kitchen by WebSocket, ${node}`,
        door: "kitchen",
        by: "plain",
        person: cook,
      });
      this.#open(at, {
        name: `kitchen by socket.io, ${node}`,
        door: "kitchen",
        by: "socket.io",
        person: manager,
      });
      this.#open(at, { name: `desk by WebSocket, ${node}`, door: "erp", by: "plain", person: admin });
      this.#open(at, {
        name: `desk by socket.io, ${node}`,
        door: "erp",
        by: "socket.io",
        person: manager,
      });
      this.#open(at, { name: `shop by WebSocket, ${node}`, door: "shop", by: "plain" });
    }
    for (const [at, person] of world.customers.entries()) {
      const by = at % 2 === 0 ? "plain" : "socket.io";
      this.#open(at, { name: `customer ${at + 1} by ${by}`, door: "shop", by, person });
    }
  }

  #track(order_id: string, after: number, track_url: string): void {
    const at = this.#trackers++;
    const by = at % 2 === 0 ? "plain" : "socket.io";
    const token = track_url.slice(track_url.lastIndexOf("/") + 1);
    const name = `shop by ${by}, order ${order_id}`;
    this.#open(at, { name, door: "shop", by, track: { token, order_id } }, after);
  }

  #open(
    first_node: number,
    options: Omit<ConstructorParameters<typeof SocketClient>[0], "after">,
    after = this.options.after,
  ): void {
    const write = (name: string, heard: Heard): void => {
      this.#file.write(`${JSON.stringify({ client: name, ...heard })}\n`);
    };
    this.#sockets.push(new SocketClient({ ...options, after }, this.options.urls, first_node, write));
  }
}
