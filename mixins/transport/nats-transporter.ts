import { setTimeout as pause } from "node:timers/promises";
import { Transporters, type ServiceBroker } from "moleculer";
import { connect, Events, type ConnectionOptions, type NatsConnection } from "nats";
import { fleetNodesOf } from "./fleet-nodes";

/** A start waits so long for NATS, then goes on without. */
const START_WAIT_MS = 1_000;
/** Between two attempts to connect. */
const RETRY_MS = 250;
/** An attempt that has not led to NATS's greeting by then is given up: a frozen server accepts connections. */
const DIAL_MS = 2_000;
/** NATS is asked so often whether it is there; a second question without an answer means that it is not. */
const PING_MS = 1_000;
const PINGS_OUT_MAX = 2;
/** How long a goodbye may take; a frozen NATS takes none. */
const GOODBYE_MS_MAX = 500;
const NO_RESPONDERS = 503;
/** Moleculer's packets to a node that somebody waits for. */
const WANT_AN_ANSWER: readonly string[] = ["REQ", "PING"];

type Packet = Parameters<Transporters.Base["publish"]>[0];

/**
 * Moleculer's NATS transporter for a NATS that may be away at any moment:
 *
 * - *away at the start*: the broker starts all the same and joins when NATS appears.
 * - *dies or freezes*: known within three seconds. All other nodes count as gone from then on, so that calls to them fail at
 *   once; the original would queue calls in memory and let every caller wait.
 * - *comes back*: the node announces itself and asks for the others. It tries for ever.
 *
 * And for nodes that die: requests and pings go out with a reply subject, so that NATS itself says when nobody listens at
 * their address any more. A node that was killed is known to be gone after one round trip, not after missed heartbeats.
 */
export class NatsTransporter extends Transporters.NATS {
  readonly #options: ConnectionOptions;
  #connection: NatsConnection | undefined;
  #closing = new AbortController();
  #complained = false;

  constructor(url: string) {
    super({});
    this.#options = connectionOptions(url);
  }

  override init(...args: Parameters<Transporters.Base["init"]>): void {
    super.init(...args);
    const [transit] = args;
    // Typed as present; a transporter without a transit is one without a broker.
    const connectForEver = transit.connect.bind(transit);
    transit.connect = () => Promise.race([connectForEver(), pause(START_WAIT_MS)]);
  }

  /** Resolves once the node has joined, or when it stops. */
  override async connect(): Promise<void> {
    this.#closing = new AbortController();
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#join(await connect(this.#options), signal);
        return;
      } catch (error) {
        if (!this.#complained)
          this.logger.warn(`NATS is not there; going on without it, trying again: ${String(error)}`);
        this.#complained = true;
        await pause(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  override async disconnect(): Promise<void> {
    this.#closing.abort();
    this.connected = false;
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    const goodbye = pause(GOODBYE_MS_MAX, undefined, { ref: false });
    await Promise.race([connection.flush().catch(() => undefined), goodbye]);
    await Promise.race([connection.close(), goodbye]);
  }

  override subscribe(cmd: string, nodeID?: string): Promise<void> {
    this.#connection?.subscribe(this.getTopicName(cmd, nodeID), {
      callback: (error, { data }) => {
        if (error === null) void this.receive(cmd, Buffer.from(data));
      },
    });
    return Promise.resolve();
  }

  override send(topic: string, data: Buffer, { packet }: { packet?: Packet } = {}): Promise<void> {
    const asked = packet !== undefined && WANT_AN_ANSWER.includes(packet.type) ? packet.target : undefined;
    this.#connection?.publish(topic, data, asked == null ? {} : { reply: this.#inboxFor(asked) });
    return Promise.resolve();
  }

  override deserialize(type: string, buffer: Buffer): Packet {
    const packet = super.deserialize(type, buffer);
    const { sender } = packet.payload as { sender?: string };
    if (sender !== undefined && sender !== this.nodeID) fleetNodesOf(this.broker).heard(sender);
    return packet;
  }

  /** Asks NATS. @throws Error when it is not connected; waits as long as NATS does. */
  async ping(): Promise<void> {
    if (!this.connected || this.#connection === undefined) throw new Error("There is no connection to NATS.");
    await this.#connection.flush();
  }

  async #join(connection: NatsConnection, signal: AbortSignal): Promise<void> {
    if (signal.aborted) {
      await connection.close();
      return;
    }
    this.#connection = connection;
    try {
      this.#listenForTheDead(connection);
      this.#follow(connection, signal).catch((error: unknown) => {
        this.logger.error("The state of NATS is not followed any more:", error);
      });
      await this.onConnected(false);
      // Whoever joins late has no start ahead of it at which its services would be announced.
      await this.transit.discoverer.sendLocalNodeInfo();
    } catch (error) {
      this.#connection = undefined;
      this.connected = false;
      await connection.close();
      throw error;
    }
    this.logger.info("NATS is there");
    this.#complained = false;
  }

  async #follow(connection: NatsConnection, closing: AbortSignal): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === Events.Disconnect) this.#lost();
      else if (type === Events.Reconnect) this.#regained();
    }
    // The client has given this connection up for good; nobody here wanted that.
    if (closing.aborted || this.#connection !== connection) return;
    this.#lost();
    await this.connect();
  }

  #lost(): void {
    if (!this.connected) return;
    this.logger.warn("NATS is gone; this node goes on alone");
    this.connected = false;
    this.transit.connected = false;
    void this.broker.broadcastLocal("$transporter.disconnected", { graceFul: false });
    const { nodes } = this.broker.registry;
    for (const { id, local, available } of nodes.toArray())
      if (!local && available) nodes.disconnected(id, true);
  }

  #regained(): void {
    this.logger.info("NATS is back");
    // Or the transit would not send what it is about to.
    this.transit.connected = true;
    this.onConnected(true).catch((error: unknown) => {
      this.logger.warn(`This node did not announce itself; its heartbeats will: ${String(error)}`);
    });
  }

  #inboxFor(node_id: string): string {
    return `${this.prefix}.GONE.${this.nodeID}.${node_id}`;
  }

  #listenForTheDead(connection: NatsConnection): void {
    const prefix = this.#inboxFor("");
    connection.subscribe(`${prefix}>`, {
      callback: (error, { headers, subject }) => {
        if (error !== null || headers?.code !== NO_RESPONDERS) return;
        const node_id = subject.slice(prefix.length);
        this.logger.warn(`Nobody listens as ${node_id} any more`);
        this.broker.registry.nodes.disconnected(node_id, true);
      },
    });
  }
}

function connectionOptions(url: string): ConnectionOptions {
  const { protocol, host, username, password } = new URL(url);
  return {
    servers: [host],
    ...(username === "" ? {} : { user: decodeURIComponent(username) }),
    ...(password === "" ? {} : { pass: decodeURIComponent(password) }),
    ...(protocol === "tls:" ? { tls: {} } : {}),
    timeout: DIAL_MS,
    pingInterval: PING_MS,
    maxPingOut: PINGS_OUT_MAX,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: RETRY_MS,
  };
}

/** The NATS transporter of a node; undefined without NATS_URL. */
export function natsTransporterOf(broker: ServiceBroker): NatsTransporter | undefined {
  const tx = broker.transit?.tx;
  return tx instanceof NatsTransporter ? tx : undefined;
}
