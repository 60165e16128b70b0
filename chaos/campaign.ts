import { setTimeout as pause } from "node:timers/promises";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { Fleet, type FleetOptions } from "../fleet/fleet";
import { freePort } from "../fleet/servers/free-port";
import { connectionOf, urlOf } from "../mixins/postgres/pool";
import { violationsIn } from "./checks/all-checks";
import type { Evidence, Violation } from "./checks/evidence";
import { CheckpointWatch } from "./evidence/checkpoint-watch";
import { collect, type DatabaseEvidence } from "./evidence/collect";
import { healthOf, unwell } from "./evidence/health";
import { settledMirror } from "./evidence/mirror";
import { CuttingProxy } from "./faults/cutting-proxy";
import type { NodeLines, Victims } from "./faults/fault";
import { Line } from "./faults/line";
import { History, type Operation } from "./history";
import { Load } from "./load/load";
import { createWorld } from "./load/world";
import { Random } from "./random";
import type { FaultName } from "./schedule";
import { Strikes, type Struck } from "./strikes";

export interface CampaignOptions {
  readonly seed: number;
  readonly folder: string;
  readonly faults: readonly FaultName[];
  /** How often every fault strikes, or for how long. */
  readonly end: { readonly rounds: number } | { readonly minutes: number };
  readonly fleet: Omit<FleetOptions, "folder" | "envOf" | "report">;
  readonly customers: number;
  readonly think_ms_max: number;
  /** The load goes on for so long at least. */
  readonly load_ms_min?: number;
  /** How long the product is given to come to rest where something does not come by itself. */
  readonly patience_ms?: number;
  /** How long what was taken of limited offers and no order has may take to be given back. */
  readonly sweep_ms?: number;
  readonly say: (line: string) => void;
}

export interface CampaignReport {
  readonly seed: number;
  readonly folder: string;
  readonly struck: readonly Struck[];
  readonly operations: readonly Operation[];
  /** Events in the log at the end. */
  readonly events: number;
  readonly socket_connections: number;
  readonly socket_messages: number;
  readonly violations: readonly Violation[];
}

type Env = Readonly<Record<string, string>>;

/** Connections of the log that appends travel by. */
const APPENDER = "event log: append";
/** After the last fault clients go on for so long, so that every client has come through. */
const AFTERMATH_MS = 2_000;
/** Once every server runs again, nodes, read models and mirrors are where they should be within this. */
const PATIENCE_MS = 45_000;
/** What a killed node had taken is given back after a minute, by a job that comes twice a minute. */
const SWEEP_MS = 180_000;

/** One run: a fleet, load, faults one after another, quiet, and the checks. */
export class Campaign {
  readonly #lines = new Map<string, NodeLines>();
  readonly #violations: Violation[] = [];
  readonly #random: Random;
  readonly #leftBehind: Parameters<Victims["leftBehind"]>[0][] = [];

  constructor(private readonly options: CampaignOptions) {
    this.#random = new Random(options.seed);
  }

  get #patience_ms(): number {
    return this.options.patience_ms ?? PATIENCE_MS;
  }

  async run(): Promise<CampaignReport> {
    const { options } = this;
    mkdirSync(options.folder, { recursive: true, mode: 0o711 });
    let fleet: Fleet | undefined;
    try {
      fleet = await Fleet.start({
        ...options.fleet,
        folder: path.join(options.folder, "fleet"),
        envOf: (id, env) => this.#behindProxies(id, env),
        report: (line) => {
          options.say(line);
          if (line.includes("ended by itself")) this.#violations.push({ promise: "node.died", detail: line });
        },
      });
      const { postgres: database } = fleet;
      const watch = await CheckpointWatch.install(() => database.url);
      return await this.#underLoad({ fleet, lines: this.#lines, watch });
    } finally {
      await fleet?.stop();
      for (const server of this.#leftBehind) await server.stop();
      for (const { postgres, nats, redis } of this.#lines.values())
        for (const line of [postgres, nats, redis]) await line?.stop();
    }
  }

  async #behindProxies(id: string, env: Env): Promise<Record<string, string>> {
    const behind: Record<string, string> = { ...env };
    const postgres = new CuttingProxy(connectionOf(env["DATABASE_URL"] ?? ""), APPENDER);
    behind["DATABASE_URL"] = urlOf(await postgres.start());
    const lineTo = async (name: string): Promise<Line | undefined> => {
      const url = URL.parse(env[name] ?? "");
      if (url === null) return undefined;
      const line = new Line({ host: url.hostname, port: Number(url.port) });
      url.port = String(await freePort());
      await line.listen({ host: url.hostname, port: Number(url.port) });
      behind[name] = url.toString();
      return line;
    };
    const [nats, redis] = [await lineTo("NATS_URL"), await lineTo("REDIS_URL")];
    const others = { ...(nats === undefined ? {} : { nats }), ...(redis === undefined ? {} : { redis }) };
    this.#lines.set(id, { postgres, ...others });
    return behind;
  }

  async #underLoad(known: Omit<Victims, "folder" | "rewind" | "leftBehind">): Promise<CampaignReport> {
    const { fleet } = known;
    const { folder, customers, think_ms_max, seed } = this.options;
    const urls = fleet.nodes.map(({ url }) => url);
    const grpc = fleet.nodes.map(({ grpcPort }) => `127.0.0.1:${String(grpcPort)}`);
    const world = await createWorld(urls, fleet.adminPassword, this.#random);
    const history = new History(folder);
    const after = (await healthOf(fleet.node(1))).checks["event_log"]?.position ?? 0;
    const load = new Load({
      ...{ urls, grpc, world, history, folder, customers, think_ms_max, after },
      random: this.#random.fork("load"),
    });
    const { faults, end, say } = this.options;
    const strikes = new Strikes({ faults, end, say }, this.#random.fork("schedule"), () => load.now_ms());
    const rewind = (position: number): void => {
      load.rewind(position);
      strikes.rewound();
    };
    const leftBehind: Victims["leftBehind"] = (server) => this.#leftBehind.push(server);
    const victims: Victims = { ...known, folder, rewind, leftBehind };
    try {
      await strikes.run(victims);
      await pause(Math.max(AFTERMATH_MS, (this.options.load_ms_min ?? 0) - load.now_ms()));
      await load.stop();
    } catch (error) {
      await load.abandon();
      throw error;
    }
    await history.close();
    for (const mishap of load.mishaps) this.#violations.push({ promise: "harness", detail: mishap });
    this.#violations.push(...strikes.violations);
    const evidence = await this.#collect(victims, load, history, { began_at: after, struck: strikes.struck });
    return {
      ...{
        seed,
        folder,
        struck: strikes.struck,
        operations: history.operations,
        events: evidence.events.length,
      },
      socket_connections: load.connections,
      socket_messages: evidence.sockets.reduce((sum, { heard }) => sum + heard.length, 0),
      violations: [...this.#violations, ...violationsIn(evidence)],
    };
  }

  async #collect(
    { fleet, watch }: Victims,
    load: Load,
    history: History,
    { began_at, struck }: { readonly began_at: number; readonly struck: readonly Struck[] },
  ): Promise<Evidence> {
    this.options.say("Quiet; reading the log and holding everything against it …");
    const database = await collect(fleet.postgres.url, {
      patience_ms: this.#patience_ms,
      sweep_ms: this.options.sweep_ms ?? SWEEP_MS,
    });
    const sockets = await load.hangUp(database.head);
    const mirror = await this.#mirror(fleet, database);
    this.#violations.push(...(await unwell(fleet.nodes, this.#patience_ms)));
    const { began_ms: load_began_ms } = load;
    const disturbances = struck.map(({ began_ms, ended_ms, rewound = false }) => ({
      began_ms: load_began_ms + began_ms,
      ended_ms: load_began_ms + ended_ms,
      rewound,
    }));
    const { operations } = history;
    const checkpoints = await watch.evidence();
    return {
      ...{ ...database, ...checkpoints, operations, load_began_ms, began_at, sockets, mirror, disturbances },
    };
  }

  async #mirror(fleet: Fleet, database: DatabaseEvidence): Promise<Evidence["mirror"]> {
    const { redis } = fleet;
    if (redis === undefined) return undefined;
    const { checks } = await healthOf(fleet.node(1));
    if (checks["redis_mirror"] !== undefined)
      return settledMirror(redis.url, fleet.node(1).url, database, this.#patience_ms);
    this.options.say("!! WITHOUT the check of Redis: its nodes mirror nothing there.");
    return undefined;
  }
}
