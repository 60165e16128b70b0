import type { Endpoint, ServiceBroker } from "moleculer";
import { perBroker } from "../per-broker";

/** A node whose event loop turns answers a ping within a millisecond; this is for a machine under load. */
const PONG_WAIT_MS = 750;
/** A node that failed is passed over at least so long, and further until it gives a sign of life. */
const SUSPECT_MS_MIN = 2_000;

/**
 * The nodes of the fleet as this node sees them: which of them host an action, and which are not to be relied on just now.
 *
 * Moleculer drops a node that says goodbye, and one whose heartbeats stay away for some ten seconds. In between a node may
 * be frozen, and a call to it would wait for nothing. So whoever waits too long asks here whether the node still answers;
 * that pings all nodes at once, and the silent ones become *suspects*: nobody sends them work until they are heard from.
 */
export class FleetNodes {
  readonly #heard = new Map<string, number>();
  readonly #suspects = new Map<string, { readonly since_ms: number; readonly until_ms: number }>();
  readonly #listeners = new Map<string, (() => void)[]>();
  readonly #hosts = new Map<string, readonly string[]>();
  #round: { readonly since_ms: number; readonly over: Promise<void> } | undefined;

  constructor(private readonly broker: ServiceBroker) {
    broker.localBus.on("$services.changed", () => {
      this.#hosts.clear();
    });
    // A new process, or one that is back: what its predecessor did says nothing about it.
    broker.localBus.on("$node.connected", ({ node }: { node: { id: string } }) => {
      this.#suspects.delete(node.id);
    });
  }

  /** This node. */
  get self(): string {
    return this.broker.nodeID;
  }

  /** Live nodes, this one among them. */
  get live(): readonly string[] {
    return this.broker.registry.nodes.toArray().flatMap(({ id, available }) => (available ? [id] : []));
  }

  /** Live nodes that host an action. The same array until a service comes or goes anywhere. */
  hosts(action: string): readonly string[] {
    let hosts = this.#hosts.get(action);
    if (hosts === undefined) {
      // The catalogue has no list for an action that nobody has hosted yet, whatever its types say.
      const list = this.broker.registry.getActionEndpoints(action) as { endpoints: Endpoint[] } | undefined;
      hosts = list?.endpoints.map(({ id }) => id) ?? [];
      this.#hosts.set(action, hosts);
    }
    return hosts;
  }

  /** Whether a node failed lately and has not been heard from since. */
  isSuspect(node_id: string): boolean {
    const suspicion = this.#suspects.get(node_id);
    if (suspicion === undefined) return false;
    if (performance.now() < suspicion.until_ms || !this.#heardSince(node_id, suspicion.since_ms)) return true;
    this.#suspects.delete(node_id);
    return false;
  }

  get suspects(): readonly string[] {
    return [...this.#suspects.keys()].filter((node_id) => this.isSuspect(node_id));
  }

  /** Passes a node over for a while, and longer until it gives a sign of life. */
  suspect(node_id: string, for_ms = SUSPECT_MS_MIN): void {
    const since_ms = performance.now();
    if (node_id !== this.self) this.#suspects.set(node_id, { since_ms, until_ms: since_ms + for_ms });
  }

  /** A packet of a node has arrived, whatever it says. */
  heard(node_id: string): void {
    this.#heard.set(node_id, performance.now());
    for (const tell of this.#listeners.get(node_id) ?? []) tell();
  }

  /** Whether a node gives a sign of life within {@link PONG_WAIT_MS}; all that do not become suspects. */
  async answers(node_id: string): Promise<boolean> {
    this.#round ??= this.#ask();
    const { since_ms, over } = this.#round;
    if (!this.#heardSince(node_id, since_ms)) await Promise.race([over, this.#signOf(node_id)]);
    return this.#heardSince(node_id, since_ms);
  }

  #ask(): { since_ms: number; over: Promise<void> } {
    const since_ms = performance.now();
    const { transit } = this.broker;
    // Each by its name: NATS itself answers for those whose process is gone.
    if (transit?.connected === true)
      for (const node_id of this.live) if (node_id !== this.self) void transit.sendPing(node_id);
    const over = new Promise<void>((resolve) =>
      setTimeout(() => {
        this.#round = undefined;
        this.#listeners.clear();
        for (const node_id of this.live) if (!this.#heardSince(node_id, since_ms)) this.suspect(node_id);
        resolve();
      }, PONG_WAIT_MS),
    );
    return { since_ms, over };
  }

  #signOf(node_id: string): Promise<void> {
    return new Promise((resolve) => {
      const listeners = this.#listeners.get(node_id) ?? [];
      this.#listeners.set(node_id, [...listeners, resolve]);
    });
  }

  #heardSince(node_id: string, ms: number): boolean {
    return (this.#heard.get(node_id) ?? -Infinity) > ms;
  }
}

/** The fleet as a node's broker sees it; without a transporter, that node alone. */
export const fleetNodesOf = perBroker((broker) => new FleetNodes(broker));
