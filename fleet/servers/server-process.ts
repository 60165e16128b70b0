import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const LOOK_EVERY_MS = 20;
const LOG_TAIL_CHARS = 2_000;

export interface ServerOptions {
  /** For messages and the log file, e.g. `redis`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its data and its log, `<name>.log`; made when missing, never removed here. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it takes work yet; asked again and again after the start. `printed` is what this run has logged so far. */
  readonly isReady: (printed: () => string) => Promise<boolean>;
  readonly start_timeout_ms?: number;
  /** A server that has not gone this long after SIGTERM is killed. */
  readonly stop_timeout_ms?: number;
}

/**
 * A real server as a child process that can be started, stopped, killed, frozen and started again on the same data: for
 * the fleet on one machine, and for tests. It dies with this process, unless this process is killed by SIGKILL.
 */
export class ServerProcess {
  #child: ChildProcess | undefined;
  readonly #orphaned = (): void => {
    this.#child?.kill("SIGKILL");
  };

  constructor(private readonly options: ServerOptions) {}

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined;
  }

  get running(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get logFile(): string {
    return path.join(this.options.folder, `${this.name}.log`);
  }

  /** Starts it and waits until it takes work. @throws Error with the end of its log when it does not. */
  async start(): Promise<void> {
    if (this.running) return;
    const { command, args, env, isReady, start_timeout_ms = 30_000 } = this.options;
    mkdirSync(this.options.folder, { recursive: true });
    const log = openSync(this.logFile, "a");
    const before = fstatSync(log).size;
    const printed = (): string => readFileSync(this.logFile).toString("utf8", before);
    const child = spawn(command, args, {
      cwd: this.options.folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", log, log],
      // Ctrl+C goes to the whole group of the terminal; who started the server decides when it stops.
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    let failure: Error | undefined;
    child.once("error", (error) => (failure = error));
    process.once("exit", this.#orphaned);
    const deadline = performance.now() + start_timeout_ms;
    while (!(await isReady(printed))) {
      if (failure !== undefined || !this.running || performance.now() > deadline) {
        await this.kill();
        throw new Error(`${this.name} did not start: ${failure?.message ?? this.#endOf(printed())}`);
      }
      await pause(LOOK_EVERY_MS);
    }
  }

  /** Asks it to stop, and waits. */
  async stop(): Promise<void> {
    const { stop_timeout_ms = 10_000 } = this.options;
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), stop_timeout_ms);
    await this.#end("SIGTERM");
    clearTimeout(timer);
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  suspend(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** SIGCONT. */
  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    process.off("exit", this.#orphaned);
    if (!this.running) return;
    const gone = new Promise((resolve) => this.#child?.once("exit", resolve));
    this.#child?.kill(signal);
    await gone;
  }

  #endOf(printed: string): string {
    return `the end of ${this.logFile}:\n${printed.slice(-LOG_TAIL_CHARS)}`;
  }
}

/** Says something to a local port and resolves with the first answer; undefined when nobody answers. */
export function firstAnswerOf(port: number, say?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: 1_000 });
    const end = (answer?: string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => say !== undefined && socket.write(say));
    socket.once("data", (chunk) => {
      end(chunk.toString());
    });
    for (const event of ["error", "timeout", "close"])
      socket.once(event, () => {
        end();
      });
  });
}
