import path from "node:path";
import { projectFolder } from "./servers/project-folder";
import { ServerProcess } from "./servers/server-process";

const START_TIMEOUT_MS = 60_000;
/** What is under way may be a slow request; then the database's connections are closed. */
const STOP_TIMEOUT_MS = 20_000;

export interface FleetNodeOptions {
  /** NODE_ID, e.g. `node-1`. */
  readonly id: string;
  readonly port: number;
  readonly grpcPort: number;
  /** Its OPS_PORT. */
  readonly opsPort: number;
  /** Its data and its log. */
  readonly folder: string;
  /** Settings beyond its name, ports and DATA_DIR. */
  readonly env: Readonly<Record<string, string>>;
  /** Called when it ends and nobody here has stopped or killed it. */
  readonly onDeath?: (how: string) => void;
}

/** A Forno of the fleet, `dist/start.js` in a process of its own. May be stopped, killed, frozen and started again. */
export class FleetNode {
  readonly id: string;
  readonly port: number;
  readonly grpcPort: number;
  readonly opsPort: number;
  /** Its SERVICES; empty: all. */
  readonly services: string;
  readonly #process: ServerProcess;

  constructor({ id, port, grpcPort, opsPort, folder, env, onDeath }: FleetNodeOptions) {
    this.id = id;
    this.port = port;
    this.grpcPort = grpcPort;
    this.opsPort = opsPort;
    this.services = env["SERVICES"] ?? "";
    this.#process = new ServerProcess({
      name: id,
      command: process.execPath,
      args: [path.join(projectFolder(), "dist/start.js")],
      folder,
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        NODE_ID: id,
        HOST: "127.0.0.1",
        PORT: String(port),
        GRPC_PORT: String(grpcPort),
        OPS_PORT: String(opsPort),
        DATA_DIR: path.join(folder, "data"),
        ...env,
      },
      // The banner: a node without gateways has no health to ask for.
      isReady: (printed) => Promise.resolve(/^Forno is ready/m.test(printed())),
      start_timeout_ms: START_TIMEOUT_MS,
      progress: /not ready yet: /g,
      stop_timeout_ms: STOP_TIMEOUT_MS,
      ...(onDeath === undefined ? {} : { onDeath }),
    });
  }

  /** Whether it holds the state of the trade, not only gateways. */
  get hasRooms(): boolean {
    return this.services === "" || this.services.split(",").includes("order");
  }

  /** Of REST, pages and sockets. */
  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** Of health and metrics. */
  get opsUrl(): string {
    return `http://127.0.0.1:${String(this.opsPort)}`;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process.running;
  }

  get logFile(): string {
    return this.#process.logFile;
  }

  /** What this run has printed so far. */
  get output(): string {
    return this.#process.output;
  }

  /** Starts it without waiting. */
  launch(): void {
    this.#process.launch();
  }

  /** Starts it, or takes the launched one, and waits until it is ready. @throws Error with the end of its log. */
  async start(): Promise<void> {
    await this.#process.start();
  }

  /** SIGTERM, and waits; resolves with the exit code, null when it had to be killed. */
  async stop(): Promise<number | null> {
    return this.#process.stop();
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  suspend(): void {
    this.#process.suspend();
  }

  /** SIGCONT. */
  resume(): void {
    this.#process.resume();
  }
}
