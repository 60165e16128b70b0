import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const ADMIN = { username: "admin", password: "bench-admin-password" };
/** Ticks a second in /proc/PID/stat, on every Linux that Node runs on. */
const CLOCK_TICKS = 100;

/** A whole Forno in a process of its own, embedded, with everything switched on but the rate limit. */
export class FornoProcess {
  private constructor(
    readonly port: number,
    private readonly opsPort: number,
    private readonly child: ChildProcess,
    private readonly home: string,
  ) {}

  static async start(): Promise<FornoProcess> {
    const home = mkdtempSync(path.join(tmpdir(), "forno-bench-"));
    const [port, opsPort] = [await freePort(), await freePort()];
    const child = spawn(process.execPath, [path.resolve(__dirname, "../start.js")], {
      env: {
        ...process.env,
        PORT: String(port),
        GRPC_PORT: "0",
        OPS_PORT: String(opsPort),
        HOST: "127.0.0.1",
        DATA_DIR: home,
        ADMIN_PASSWORD: ADMIN.password,
        RATE_LIMIT: "off",
        LOG_LEVEL: "warn",
      },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const forno = new FornoProcess(port, opsPort, child, home);
    await forno.ready();
    return forno;
  }

  /** One JSON request. */
  async ask<T>(method: string, route: string, body?: object, token?: string): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${String(this.port)}${route}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${route}: ${String(answer.status)} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Its report of health, as monitors get it. */
  async health<T>(): Promise<T> {
    return (await (await fetch(`http://127.0.0.1:${String(this.opsPort)}/api/v1/health`)).json()) as T;
  }

  async adminToken(): Promise<string> {
    return (await this.ask<{ token: string }>("POST", "/api/v1/auth/super-admin/login", ADMIN)).token;
  }

  /** CPU time of the Node process so far, in ms; NaN where there is no /proc. */
  cpu_ms(): number {
    const stat = this.#proc("stat");
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields === undefined
      ? Number.NaN
      : ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS;
  }

  /** Resident memory of the Node process, in MB; NaN where there is no /proc. */
  rss_mb(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(this.#proc("status") ?? "")?.[1] ?? Number.NaN) / 1024;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await ended;
    rmSync(this.home, { recursive: true, force: true });
  }

  async ready(): Promise<void> {
    for (const deadline = Date.now() + 30_000; ;) {
      const answer = await fetch(`http://127.0.0.1:${String(this.port)}/api/v1/health/ready`).catch(
        () => undefined,
      );
      if (answer?.ok === true) return;
      if (Date.now() > deadline || this.child.exitCode !== null)
        throw new Error("Forno did not become ready.");
      await pause(20);
    }
  }

  #proc(file: string): string | undefined {
    try {
      return readFileSync(`/proc/${String(this.child.pid)}/${file}`, "utf8");
    } catch {
      // No /proc on this system: the figure is left out.
      return undefined;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
