import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { PEOPLE } from "../../seed/data";
import { loadSettings } from "../../settings";
import { ErpSocket } from "../support/erp-socket";
import { eventually } from "../support/eventually";
import { ADMIN_PASSWORD, databasePidOf, FornoUnderTest } from "../support/forno";

const STOP_MS_MAX = 5_000;
const PASSWORD_LINE = /sign in as admin with the password (\S+)/g;

/** What may hold a secret is named without its value. */
const SECRET = new Set(["JWT_SECRET", "DATABASE_URL"]);

describe("the command line", () => {
  it.each([
    ["PORT", "abc", "a whole number from 0 to 65535"],
    ["LOG_LEVEL", "loud", "one of fatal, error, warn, info, debug, trace"],
    ["SLOT_MINUTES", "0", "a whole number from 5 to 240"],
    ["DATABASE_URL", "mysql://x", "a URL with scheme postgres or postgresql"],
    ["JWT_SECRET", "too short", "at least 32 characters"],
  ])(
    "ends with 2 and one line that names %s, not valid as %s, and what is expected",
    async (name, value, expected) => {
      const { code, stdout, stderr } = await FornoUnderTest.outcome({ [name]: value });
      expect({ code, stdout, stderr }).toEqual({
        code: 2,
        stdout: "",
        stderr: `${SECRET.has(name) ? name : `${name}="${value}"`} is not valid: expected ${expected}.\n`,
      });
    },
  );

  it("ends with 2 at a flag that it does not know", async () => {
    const { code, stderr } = await FornoUnderTest.outcome({}, "--fast");
    expect({ code, stderr }).toEqual({ code: 2, stderr: "--fast is not an option; --help lists what is.\n" });
  });

  it("lists every setting at --help", async () => {
    const { code, stdout } = await FornoUnderTest.outcome({}, "--help");
    expect(code).toBe(0);
    for (const name of Object.keys(loadSettings({})))
      expect(stdout).toMatch(new RegExp(`^ +${name} +\\S`, "m"));
  });
});

describe("a port that is taken", () => {
  let home: string;
  let occupant: Server;
  let taken: string;

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), "forno-taken-"));
    occupant = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => occupant.once("listening", resolve));
    taken = String((occupant.address() as AddressInfo).port);
  });

  afterAll(() => {
    occupant.close();
    rmSync(home, { recursive: true, force: true });
  });

  it.each(["PORT", "GRPC_PORT", "OPS_PORT"])(
    "as %s ends the start with 1 and a line that says what to do, and leaves no database running",
    async (name) => {
      const env = {
        PORT: "0",
        GRPC_PORT: "0",
        HOST: "127.0.0.1",
        DATA_DIR: home,
        LOG_LEVEL: "fatal",
        [name]: taken,
      };
      const { code, stderr } = await FornoUnderTest.outcome(env);
      expect(code).toBe(1);
      expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
        new RegExp(`127\\.0\\.0\\.1:${taken}.*: set PORT, GRPC_PORT or OPS_PORT to a free port\\.$`),
      );
      expect(databasePidOf(home)).toBeUndefined();
    },
  );
});

describe("a first start without a password and without a seed", () => {
  let forno: FornoUnderTest;

  beforeAll(async () => {
    forno = await FornoUnderTest.create({ SEED: "none" });
    await forno.start();
  });
  afterAll(() => forno.remove());

  const shownPasswords = (): string[] =>
    [...forno.output.matchAll(PASSWORD_LINE)].map(([, password]) => password ?? "");
  const signIn = async (username: string, password: string): Promise<number> =>
    (await forno.ask("POST", "/api/v1/auth/super-admin/login", { body: { username, password } })).status;

  it("shows a password that works, and does not show it again at the next start", async () => {
    await eventually(() => {
      expect(shownPasswords()).toHaveLength(1);
    });
    const [password = ""] = shownPasswords();
    expect(password.length).toBeGreaterThanOrEqual(16);
    expect(await signIn("admin", password)).toBe(200);
    expect(await forno.end()).toBe(0);
    await forno.start();
    await eventually(() => {
      expect(forno.output.match(/Forno is ready/g)).toHaveLength(2);
    });
    expect(shownPasswords()).toEqual([password]);
    expect(await signIn("admin", password)).toBe(200);
  });

  it("opens to no password that people try first", async () => {
    for (const password of ["admin", "password", "forno"]) expect(await signIn("admin", password)).toBe(401);
    for (const username of ["root", "super_admin", "forno"])
      expect(await signIn(username, username)).toBe(401);
  });

  it("serves an empty menu and refuses an order by name", async () => {
    const menu = await forno.ask("GET", "/api/v1/menu");
    expect(menu.status).toBe(200);
    expect(menu.body).toMatchObject({ pizzas: [], extras: [], sets: [] });
    expect((await forno.ask("GET", "/api/v1/branches")).body).toEqual({ items: [] });
    const items = [{ name: "Пепперони", quantity: 1 }];
    const order = await forno.ask("POST", "/api/v1/order", {
      body: { fulfilment: "pickup", payment_method: "cash", items },
    });
    expect([404, 422]).toContain(order.status);
  });
});

describe("a running Forno", () => {
  let forno: FornoUnderTest;
  let pizza: string;

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    const menu = await forno.ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu");
    pizza = menu.body.pizzas[0]?.id ?? "";
  });
  afterAll(() => forno.remove());

  const order = (key: string) =>
    forno.ask("POST", "/api/v1/order", {
      body: { fulfilment: "pickup", payment_method: "cash", items: [{ menu_item_id: pizza, quantity: 1 }] },
      headers: { "idempotency-key": key },
    });
  const health = () =>
    forno.askOps<{ status: string; checks: Record<string, { status: string }> }>("/api/v1/health");

  it("has no account of the seed that anybody can sign in to", async () => {
    for (const { email } of PEOPLE.slice(-3))
      expect(
        (await forno.ask("POST", "/api/v1/auth/login", { body: { email, password: "password" } })).status,
      ).toBe(401);
  });

  it("shows health and metrics to operators, and to whoever reaches their port; whether it is ready to all", async () => {
    const token = await forno.adminToken();
    for (const route of ["/api/v1/health", "/metrics"]) {
      expect(await forno.ask("GET", route)).toMatchObject({ status: 401, body: { code: "auth.required" } });
      expect((await forno.ask("GET", `${route}?token=1`)).status).toBe(401);
      expect((await forno.ask("GET", route, { token })).status).toBe(200);
    }
    const { body } = await forno.ask<{ text: string }>("GET", "/metrics", { token });
    expect(body.text).toMatch(/^http_requests_total\{/m);
    expect(body.text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(body.text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    const scraped = await forno.askOps<{ text: string }>("/metrics");
    expect(scraped.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(scraped.body.text).toMatch(/^forno_log_head_position \d+$/m);
    expect((await health()).body.checks["database"]?.status).toBe("up");
    expect((await forno.askOps("/api/v1/health/ready")).status).toBe(200);
    for (const route of ["/api/v1/erp/orders", "/", "/api/v1/menu", "/nothing"])
      expect((await forno.askOps(route)).status).toBe(404);
    for (const short of ["live", "ready"])
      expect(Object.keys((await forno.ask("GET", `/api/v1/health/${short}`)).body)).not.toContain("checks");
  });

  it("takes what is at an address for no parameter", async () => {
    const token = await forno.adminToken();
    for (const wanted of [token, undefined]) {
      const refused = await forno.ask("PUT", "/posts/top", { token: wanted, body: { title: "x" } });
      expect(refused.status).toBe(405);
      expect(refused.headers.get("allow")).toBe("HEAD, GET");
    }
  });

  it("keeps a second one off its data directory with one clear line, and goes on", async () => {
    const database = forno.databasePid;
    const second = await FornoUnderTest.outcome({ PORT: "0", GRPC_PORT: "0", DATA_DIR: forno.dataDir });
    expect(second.code).toBe(1);
    expect(second.stderr).toBe(
      `Another Forno is running on ${forno.dataDir}: stop it, or give this one another DATA_DIR.\n`,
    );
    expect(forno.databasePid).toBe(database);
    expect((await order("after-the-second-one")).status).toBe(201);
  });

  it("attaches to the database that outlived a kill -9 of ours", async () => {
    const database = forno.databasePid;
    expect(database).toBeDefined();
    await forno.end("SIGKILL");
    expect(forno.databasePid).toBe(database);
    await forno.start();
    expect(forno.databasePid).toBe(database);
    expect((await order("after-the-kill")).status).toBe(201);
  });

  it("says that its database is down, serves what it knows, and comes back by itself when the database can", async () => {
    expect((await health()).body.status).toBe("up");
    const [postgres, away] = [path.join(forno.dataDir, "postgres"), path.join(forno.dataDir, "away")];
    const killed = forno.databasePid ?? Number.NaN;
    // Without its files the server cannot be started again before we have looked.
    renameSync(postgres, away);
    process.kill(killed, "SIGKILL");
    await eventually(async () => {
      const { status, body } = await health();
      expect({ status, overall: body.status, database: body.checks["database"]?.status }).toEqual({
        status: 503,
        overall: "down",
        database: "down",
      });
    });
    expect((await forno.ask("GET", "/api/v1/health/ready")).status).toBe(503);
    expect((await forno.ask("GET", "/api/v1/health/live")).status).toBe(200);
    expect((await forno.ask("GET", "/api/v1/menu")).status).toBe(200);
    const refused = await order("while-the-database-is-away");
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);

    renameSync(away, postgres);
    await eventually(async () => {
      expect((await health()).body.status).toBe("up");
      expect((await order("while-the-database-is-away")).status).toBe(201);
    });
    expect(forno.databasePid).not.toBe(killed);
    const token = await forno.adminToken();
    await eventually(async () => {
      const { body } = await forno.ask<{ items: unknown[] }>("GET", "/api/v1/erp/orders", { token });
      expect(body.items.length).toBeGreaterThan(0);
    });
  });

  it("stops within seconds at a SIGTERM, its database and open sockets with it", async () => {
    const desk = new ErpSocket(forno.url, await forno.adminToken());
    await desk.connect();
    const begun = performance.now();
    const code = await forno.end("SIGTERM");
    const took_ms = performance.now() - begun;
    desk.close();
    expect(code).toBe(0);
    expect(took_ms).toBeLessThan(STOP_MS_MAX);
    expect(forno.databasePid).toBeUndefined();
    await forno.start();
    expect(
      (
        await forno.ask("POST", "/api/v1/auth/super-admin/login", {
          body: { username: "admin", password: ADMIN_PASSWORD },
        })
      ).status,
    ).toBe(200);
  });
});
