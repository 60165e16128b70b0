import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventually } from "./eventually";
import { unpromised } from "./promised";
import { freePort } from "../../fleet/servers/free-port";

export const ADMIN_PASSWORD = "correct horse battery";

const PROGRAM = path.resolve(__dirname, "../../dist/start.js");

/** What a Forno that ended by itself came to. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An answer over REST, body parsed. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A whole Forno in a process of its own, as `npm start` runs it, in a temporary data directory. May be killed and started again. */
export class FornoUnderTest {
  #child: ChildProcess | undefined;
  #output = "";

  private constructor(
    readonly port: number,
    readonly grpcPort: number,
    readonly opsPort: number,
    readonly home: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly args: readonly string[],
  ) {}

  static async create(
    env: Readonly<Record<string, string>> = {},
    ...args: readonly string[]
  ): Promise<FornoUnderTest> {
    const home = mkdtempSync(path.join(tmpdir(), "forno-e2e-"));
    return new FornoUnderTest(await freePort(), await freePort(), await freePort(), home, env, args);
  }

  /** Runs the program until it ends by itself. */
  static outcome(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
    return outcomeOf(PROGRAM, env, ...args);
  }

  static async started(
    env: Readonly<Record<string, string>> = {},
    ...args: readonly string[]
  ): Promise<FornoUnderTest> {
    const forno = await FornoUnderTest.create({ ADMIN_PASSWORD, RATE_LIMIT: "off", ...env }, ...args);
    await forno.start();
    return forno;
  }

  /** What the process has printed so far. */
  get output(): string {
    return this.#output;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get dataDir(): string {
    return path.join(this.home, "data");
  }

  /** Process id of its embedded PostgreSQL, while that lives. */
  get databasePid(): number | undefined {
    return databasePidOf(this.dataDir);
  }

  /** Starts and waits until it reports ready; resolves with the time that took, in ms. */
  async start(): Promise<number> {
    const begun = performance.now();
    this.launch();
    await eventually(async () => {
      if (this.#child?.exitCode !== null)
        throw new Error(`Forno ended with ${String(this.#child?.exitCode)}:\n${this.#output}`);
      expect((await fetch(`${this.url}/api/v1/health/ready`)).status).toBe(200);
    }, 30_000);
    return performance.now() - begun;
  }

  /** Starts without waiting. */
  launch(): void {
    const child = spawn(process.execPath, [PROGRAM, ...this.args], {
      cwd: this.home,
      env: {
        PATH: process.env["PATH"],
        HOME: this.home,
        PORT: String(this.port),
        GRPC_PORT: String(this.grpcPort),
        OPS_PORT: String(this.opsPort),
        HOST: "127.0.0.1",
        DATA_DIR: this.dataDir,
        LOG_LEVEL: "warn",
        ...this.env,
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child = child;
  }

  /** Types a line at the prompt. */
  type(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }

  /** Resolves with the exit code once the process has ended (null after SIGKILL). */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    return new Promise((resolve) => child.once("exit", resolve));
  }

  /** Ends the process by a signal and resolves with its exit code (null after SIGKILL). */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const ended = this.ended();
    this.#child?.kill(signal);
    return ended;
  }

  /** Stops gracefully (with it the database) and removes the data. */
  async remove(): Promise<void> {
    if (this.#child?.signalCode === "SIGKILL") await this.start();
    await this.end();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Asks over REST. @throws Error when the answer is none that the OpenAPI document tells of. */
  async ask<T = Record<string, unknown>>(
    method: string,
    route: string,
    options: {
      body?: unknown;
      raw?: string;
      token?: string | undefined;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Answer<T>> {
    const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
    const answer = await fetch(this.url + route, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
    });
    const answered = await answerOf<T>(answer);
    const { code } = answered.body as { readonly code?: string };
    const fault = unpromised(method, route, answer.status, code);
    if (fault !== undefined) throw new Error(`The document does not tell it: ${fault}.`);
    return answered;
  }

  /** Reads health or metrics as monitors do, at OPS_PORT. */
  async askOps<T = Record<string, unknown>>(route: string): Promise<Answer<T>> {
    return answerOf<T>(await fetch(`http://127.0.0.1:${String(this.opsPort)}${route}`));
  }

  async adminToken(): Promise<string> {
    const { body } = await this.ask<{ token: string }>("POST", "/api/v1/auth/super-admin/login", {
      body: { username: "admin", password: ADMIN_PASSWORD },
    });
    return body.token;
  }
}

async function answerOf<T>(answer: Response): Promise<Answer<T>> {
  const text = await answer.text();
  const json = answer.headers.get("content-type")?.includes("json") === true;
  return {
    status: answer.status,
    headers: answer.headers,
    body: (json && text !== "" ? JSON.parse(text) : { text }) as T,
  };
}

/** Runs a program of the build until it ends by itself. */
export async function outcomeOf(
  program: string,
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk: Buffer) => (out[name] += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...out };
}

/** Process id of the PostgreSQL of a data directory, while that lives. */
export function databasePidOf(dataDir: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(dataDir, "postgres", "postmaster.pid"), "utf8");
  } catch {
    // The server is down, or goes down this moment.
    return undefined;
  }
  const pid = Number(text.split("\n", 1)[0]);
  return pid > 0 && isAlive(pid) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
