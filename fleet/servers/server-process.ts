import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const LOOK_EVERY_MS = 20;
const LOG_TAIL_CHARS = 2_000;
/** Linux: the kernel kills the server when its parent dies, also when the parent was killed by SIGKILL. */
const SETPRIV = "/usr/bin/setpriv";

export interface ServerOptions {
  /** For messages and the log file, e.g. `redis`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its data and its log, `<name>.log`; made when missing, never removed here. */
  readonly folder: string;
  /** The whole environment; ours unless said. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether it takes work yet; asked again and again after the start. `printed` is what this run has logged so far. */
  readonly isReady: (printed: () => string) => Promise<boolean>;
  /** What it prints, again and again, while it comes nearer to that: each time its time to start begins anew. With the flag `g`. */
  readonly progress?: RegExp;
  readonly start_timeout_ms?: number;
  /** A server that has not gone this long after SIGTERM is killed. */
  readonly stop_timeout_ms?: number;
  /** Called when it ends and nobody here has stopped or killed it; `how` is e.g. "code 1" or "SIGKILL". */
  readonly onDeath?: (how: string) => void;
}

/**
 * A real server as a child process that can be started, stopped, killed, frozen and started again on the same data: for
 * the fleet on one machine, and for tests. It dies with this process; elsewhere than on Linux not when this process is
 * killed by SIGKILL.
 */
export class ServerProcess {
  #child: ChildProcess | undefined;
  #failure: Error | undefined;
  /** Taken as running: when it ends now, nobody here has asked for that. */
  #wanted = false;
  /** Length of the log before this run. */
  #before = 0;
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
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get logFile(): string {
    return path.join(this.options.folder, `${this.name}.log`);
  }

  /** What this run has logged so far. */
  get output(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile).toString("utf8", this.#before) : "";
  }

  /** Starts it without waiting, unless it runs. */
  launch(): void {
    this.#spawn();
    this.#wanted = true;
  }

  #spawn(): void {
    if (this.running) return;
    const { command, args, env = process.env, folder } = this.options;
    mkdirSync(folder, { recursive: true });
    const log = openSync(this.logFile, "a", 0o600);
    this.#before = fstatSync(log).size;
    const [program, ...rest] = dyingWithParent(command, args);
    const child = spawn(program, rest, {
      cwd: folder,
      env,
      stdio: ["ignore", log, log],
      // Ctrl+C goes to the whole group of the terminal; who started the server decides when it stops.
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#failure = undefined;
    child.once("error", (error) => (this.#failure = error));
    child.once("exit", (code, signal) => {
      if (this.#wanted && child === this.#child) this.options.onDeath?.(signal ?? `code ${String(code)}`);
    });
    process.off("exit", this.#orphaned).once("exit", this.#orphaned);
  }

  /** Starts it, unless it runs, and waits until it takes work. @throws Error with the end of its log when it does not. */
  async start(): Promise<void> {
    this.#spawn();
    const { isReady, start_timeout_ms = 30_000, progress } = this.options;
    let deadline = performance.now() + start_timeout_ms;
    let steps = 0;
    while (!(await isReady(() => this.output))) {
      const found = progress === undefined ? 0 : (this.output.match(progress)?.length ?? 0);
      if (found > steps) deadline = performance.now() + start_timeout_ms;
      steps = found;
      if (this.#failure !== undefined || !this.running || performance.now() > deadline) {
        await this.kill();
        throw new Error(`${this.name} did not start: ${this.#failure?.message ?? this.#endOfLog()}`);
      }
      await pause(LOOK_EVERY_MS);
    }
    this.#wanted = true;
  }

  /** Asks it to stop, also when it is frozen, and waits. Resolves with its exit code, null when a signal ended it. */
  async stop(): Promise<number | null> {
    const { stop_timeout_ms = 10_000 } = this.options;
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), stop_timeout_ms);
    const ended = this.#end("SIGTERM");
    this.resume();
    await ended;
    clearTimeout(timer);
    return this.#child?.exitCode ?? null;
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
    this.#wanted = false;
    process.off("exit", this.#orphaned);
    if (!this.running) return;
    const gone = new Promise((resolve) => this.#child?.once("exit", resolve));
    this.#child?.kill(signal);
    await gone;
  }

  #endOfLog(): string {
    return `the end of ${this.logFile}:\n${this.output.slice(-LOG_TAIL_CHARS)}`;
  }
}

function dyingWithParent(command: string, args: readonly string[]): [string, ...string[]] {
  return existsSync(SETPRIV) ? [SETPRIV, "--pdeathsig", "KILL", "--", command, ...args] : [command, ...args];
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
