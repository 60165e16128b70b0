import { mkdirSync } from "node:fs";
import path from "node:path";
import { FleetNode } from "./fleet-node";
import type { FleetPostgres } from "./fleet-postgres";
import { fleetSecrets, type FleetSecrets } from "./fleet-secrets";
import { FleetServers, type FleetPart, type WantedServers } from "./fleet-servers";
import { clearFolder, lockFolder } from "./fleet-folder";
import { setUpReplica } from "./replica/set-up-replica";
import { servicesOf, type Layout } from "./layout";
import { freePort, isFree } from "./servers/free-port";
import type { KafkaServer } from "./servers/kafka-server";
import type { NatsServer } from "./servers/nats-server";
import type { RedisServer } from "./servers/redis-server";

const FIRST_PORT = 8080;
const FIRST_GRPC_PORT = 50_051;
const FIRST_OPS_PORT = 9464;

export interface FleetOptions extends WantedServers {
  /** Data, logs and secrets of everything; made when missing. */
  readonly folder: string;
  readonly nodes: number;
  /** Further settings of every node; they win over those that the fleet sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Has the last word on one node's settings, when the servers run: it may put a proxy in between. */
  readonly envOf?: (id: string, env: Readonly<Record<string, string>>) => Promise<Record<string, string>>;
  /** `all` (unless said): every node runs everything. `split`: gateways, and workers with the rooms. */
  readonly layout?: Layout;
  /** Any free ports for the nodes, instead of 8080, 8081, … and 50051, 50052, … */
  readonly anyPorts?: boolean;
  /** Clear the folder first. */
  readonly fresh?: boolean;
  /** Takes lines about what goes wrong, e.g. that a node has died; nobody hears them unless said. */
  readonly report?: (line: string) => void;
}

/**
 * Forno as several nodes on this machine, with the real servers that they share, all in processes of their own. Nothing is
 * started again by itself: who uses the fleet may kill any part of it and see what the others do.
 */
export class Fleet {
  private constructor(
    /** node-1, node-2, … They stay the same over {@link FleetNode.stop} and {@link FleetNode.start}. */
    readonly nodes: readonly FleetNode[],
    private readonly servers: FleetServers,
    private readonly secrets: FleetSecrets & { readonly isNew: boolean },
    private readonly unlock: () => void,
  ) {}

  /**
   * Starts the servers, then the nodes; resolves once all are ready.
   * @throws Error when a part does not start, or another fleet runs in the folder; what had started is stopped again.
   */
  static async start(options: FleetOptions): Promise<Fleet> {
    const folder = path.resolve(options.folder);
    // Root's PostgreSQL runs as another user, who must be able to pass.
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    const unlock = lockFolder(folder);
    try {
      if (options.fresh === true) await clearFolder(folder);
      return await Fleet.#assemble(options, folder, unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  static async #assemble(options: FleetOptions, folder: string, unlock: () => void): Promise<Fleet> {
    const { report = () => undefined, nodes: count, layout = "all", anyPorts = false } = options;
    const servers = new FleetServers(folder, report);
    const secrets = fleetSecrets(folder);
    const nodes: FleetNode[] = [];
    const fleet = new Fleet(nodes, servers, secrets, unlock);
    try {
      await servers.start(options);
      const shared = { ...servers.env, JWT_SECRET: secrets.jwtSecret, ADMIN_PASSWORD: secrets.adminPassword };
      for (const [index, SERVICES] of servicesOf(layout, count).entries()) {
        const id = `node-${String(index + 1)}`;
        const env = { ...shared, SERVICES, ...options.env };
        const node = new FleetNode({
          id,
          ...(await portsOf(index, anyPorts)),
          folder: path.join(folder, id),
          env: (await options.envOf?.(id, env)) ?? env,
          onDeath: (how) => {
            report(`${id} has ended by itself (${how}); its log is ${node.logFile}.`);
          },
        });
        nodes.push(node);
      }
      await fleet.#startNodes();
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** Whether this was the first start in its folder. */
  get isNew(): boolean {
    return this.secrets.isNew;
  }

  /** What runs where, for people. */
  get parts(): readonly FleetPart[] {
    const nodes = this.nodes.map(({ id, pid, url, opsUrl, grpcPort, services, logFile }) => ({
      name: id,
      pid,
      where: `${url}, gRPC ${String(grpcPort)}, ${opsUrl}/metrics, ${services === "" ? "all services" : services}`,
      logFile,
    }));
    return [...this.servers.parts, ...nodes];
  }

  get postgres(): FleetPostgres {
    return this.servers.postgres;
  }

  get replica(): FleetPostgres | undefined {
    return this.servers.replica;
  }

  get redis(): RedisServer | undefined {
    return this.servers.redis;
  }

  get nats(): NatsServer | undefined {
    return this.servers.nats;
  }

  get kafka(): KafkaServer | undefined {
    return this.servers.kafka;
  }

  /** Of the user `admin`. */
  get adminPassword(): string {
    return this.secrets.adminPassword;
  }

  get jwtSecret(): string {
    return this.secrets.jwtSecret;
  }

  /** The node of this number, from 1 as in its name. */
  node(number: number): FleetNode {
    const node = this.nodes[number - 1];
    if (node === undefined) throw new Error(`This fleet has no node-${String(number)}.`);
    return node;
  }

  /** Signs the admin in. @throws Error when the node refuses. */
  async adminToken(node = this.node(1)): Promise<string> {
    const answer = await fetch(`${node.url}/api/v1/auth/super-admin/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "admin", password: this.adminPassword }),
    });
    if (!answer.ok) throw new Error(`${node.id} does not sign the admin in: ${await answer.text()}`);
    return ((await answer.json()) as { token: string }).token;
  }

  /** Stops everything that runs: node by node, each finishing what is under way, then the servers. */
  async stop(): Promise<void> {
    try {
      for (const node of this.nodes) await node.stop();
    } finally {
      await this.servers.stop();
      this.unlock();
    }
  }

  /** The first with rooms migrates, for the replica too, and seeds; the others find that done. Gateways wait for rooms. */
  async #startNodes(): Promise<void> {
    await this.nodes.find(({ hasRooms }) => hasRooms)?.start();
    if (this.replica !== undefined)
      await setUpReplica({
        primary: this.postgres.url,
        replica: this.replica.url,
        replication_password: this.secrets.replicationPassword,
      });
    await Promise.all(this.nodes.map((node) => node.start()));
  }
}

async function portsOf(
  index: number,
  any: boolean,
): Promise<{ port: number; grpcPort: number; opsPort: number }> {
  if (any) return { port: await freePort(), grpcPort: await freePort(), opsPort: await freePort() };
  const ports = {
    ...{ port: FIRST_PORT + index, grpcPort: FIRST_GRPC_PORT + index },
    opsPort: FIRST_OPS_PORT + index,
  };
  for (const port of Object.values(ports))
    if (!(await isFree(port)))
      throw new Error(`Port ${String(port)} is taken: free it, or let the nodes take any ports.`);
  return ports;
}
