import { Agent, request } from "node:http";

/** A node as a load balancer knows it. */
export interface Backend {
  readonly port: number;
}

interface Seen {
  readonly backend: Backend;
  readonly agent: Agent;
  ready: boolean;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** How a connection says that nothing, or not all, of an answer will come: the one case in which the request is sent again. */
const BROKEN = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);
const PROBE_EVERY_MS = 100;
const PROBE_TIMEOUT_MS = 1_000;
/** All nodes may refuse for the instant in which nobody has noticed yet. */
const TRIES_MAX = 20;

/**
 * What a load balancer does, and nothing more: asks each node whether it is ready, spreads requests over those that are, over
 * connections that are kept open, and sends a request again, elsewhere, when its connection was refused or broke. Answers, also
 * bad ones, are the client's.
 */
export class Balancer {
  readonly #nodes: readonly Seen[];
  readonly #probes: NodeJS.Timeout;
  #turn = 0;
  retries = 0;

  constructor(backends: readonly Backend[]) {
    this.#nodes = backends.map((backend) => ({
      backend,
      agent: new Agent({ keepAlive: true }),
      ready: true,
    }));
    this.#probes = setInterval(() => {
      for (const node of this.#nodes) void this.#probe(node);
    }, PROBE_EVERY_MS);
  }

  /** How many nodes get requests now. */
  get ready(): number {
    return this.#nodes.filter((node) => node.ready).length;
  }

  isReady({ port }: Backend): boolean {
    return this.#nodes.some((node) => node.backend.port === port && node.ready);
  }

  /** The answer of one node. @throws the last error when no node took the request. */
  async post(path: string, body: object, headers: Readonly<Record<string, string>>): Promise<Reply> {
    for (let tries = 1; ; tries += 1) {
      const node = this.#next();
      try {
        return await send(node, "POST", path, JSON.stringify(body), headers);
      } catch (error) {
        if (!BROKEN.has((error as NodeJS.ErrnoException).code ?? "") || tries === TRIES_MAX) throw error;
        this.retries += 1;
        if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") node.ready = false;
      }
    }
  }

  stop(): void {
    clearInterval(this.#probes);
    for (const { agent } of this.#nodes) agent.destroy();
  }

  #next(): Seen {
    const ready = this.#nodes.filter((node) => node.ready);
    const among = ready.length > 0 ? ready : this.#nodes;
    const node = among[(this.#turn += 1) % among.length];
    if (node === undefined) throw new Error("A balancer without nodes.");
    return node;
  }

  async #probe(node: Seen): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${String(node.backend.port)}/api/v1/health/ready`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    }).catch(() => undefined);
    node.ready = answer?.status === 200;
  }
}

function send(
  { backend, agent }: Seen,
  method: string,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const all = {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      ...headers,
    };
    request({ agent, method, host: "127.0.0.1", port: backend.port, path, headers: all }, (res) => {
      let text = "";
      res
        .setEncoding("utf8")
        .on("data", (chunk: string) => (text += chunk))
        .on("error", reject)
        .on("end", () => {
          resolve({ status: res.statusCode ?? 0, body: text });
        });
    })
      .on("error", reject)
      .end(body);
  });
}
