import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client, type ClientConfig } from "pg";
import { embeddedBinaries } from "../../../mixins/postgres/binaries";
import { PostgresCluster } from "../../../mixins/postgres/cluster";

const BINARIES = embeddedBinaries();
const isRoot = process.getuid?.() === 0;
/** As root where others can reach PostgreSQL's programs, the server has a user of its own. */
const hasOwnUser = isRoot && spawnSync("setpriv", ["--reuid=65534", "test", "-x", BINARIES.bin]).status === 0;
const NOBODY = 65_534;

/** Connects as another user of this machine and says what came of it. */
const CONNECT = `
  const { Client } = require("pg");
  const client = new Client(JSON.parse(process.argv[1]));
  client.connect().then(() => "in", (error) => String(error.code ?? error.message)).then((answer) => {
    console.log(answer);
    process.exit();
  });`;

describe("who gets into the database that comes along", () => {
  let parent: string;
  let home: string;
  let cluster: PostgresCluster;

  beforeEach(async () => {
    parent = mkdtempSync(path.join(tmpdir(), "forno-access-"));
    chmodSync(parent, 0o755);
    home = path.join(parent, "data");
    cluster = new PostgresCluster(BINARIES, home);
    await cluster.create();
  });

  afterEach(async () => {
    await cluster.stop();
    rmSync(parent, { recursive: true, force: true });
  });

  const data = (): string => path.join(home, "postgres");
  const hba = (): string => path.join(data(), "pg_hba.conf");

  /** "in", or why not. */
  function comeIn(who: { uid?: number; gid?: number }, connection: ClientConfig): string {
    const asked = ["-e", CONNECT, JSON.stringify(connection)];
    const { stdout, stderr } = spawnSync(process.execPath, asked, {
      ...who,
      cwd: path.resolve(__dirname, "../../.."),
      encoding: "utf8",
    });
    return stdout.trim() || stderr;
  }

  function withoutPassword(): ClientConfig {
    return { ...cluster.connection("postgres"), password: undefined };
  }

  async function ask<T>(sql: string): Promise<T | undefined> {
    const client = new Client(cluster.connection("postgres"));
    await client.connect();
    try {
      return (await client.query<{ answer: T }>(sql)).rows[0]?.answer;
    } finally {
      await client.end();
    }
  }

  it("needs the password, which only the owner of the folder can read", async () => {
    await cluster.start();
    expect(comeIn({}, cluster.connection("postgres"))).toBe("in");
    expect(comeIn({}, withoutPassword())).toContain("password");
    expect(comeIn({}, { ...cluster.connection("postgres"), password: "dough" })).toBe("28P01");
    expect(comeIn({}, { ...withoutPassword(), database: "template1" })).toContain("password");
    expect(statSync(path.join(home, "pgpass")).mode & 0o777).toBe(0o600);
    expect(statSync(home).mode & 0o007).toBe(0);
    expect(readdirSync(home).sort()).toEqual(["pgpass", "postgres", "postgres.log", "socket"]);
  });

  it("lets an operator in by psql, with the file as it is", async () => {
    await cluster.start();
    const asked = ["-h", path.join(home, "socket"), "-U", "forno", "-Atc", "select 42", "postgres"];
    const env = { ...process.env, PGPASSFILE: path.join(home, "pgpass") };
    const psql = spawnSync("psql", asked, { env, encoding: "utf8" });
    if (psql.error !== undefined) return;
    expect(psql.stdout.trim()).toBe("42");
    const without = spawnSync("psql", ["-w", ...asked], {
      env: { ...process.env, PGPASSFILE: "/dev/null" },
      encoding: "utf8",
    });
    expect(without.status).not.toBe(0);
    expect(without.stderr).toContain("no password supplied");
  });

  it("takes another password when its file was removed, and only that one", async () => {
    await cluster.start();
    await ask("create table survivor as select 42 as answer");
    const old = cluster.connection("postgres");
    await cluster.stop();
    rmSync(path.join(home, "pgpass"));
    await cluster.start();
    expect(await ask("select answer from survivor")).toBe(42);
    expect(cluster.connection("postgres").password).not.toBe(old.password);
    expect(comeIn({}, old)).toBe("28P01");
    expect(comeIn({}, withoutPassword())).toContain("password");
  });

  it("names a password file that holds none", async () => {
    writeFileSync(path.join(home, "pgpass"), "dough\n");
    await expect(cluster.start()).rejects.toThrow(
      `${path.join(home, "pgpass")} holds no password: remove it`,
    );
  });

  it("closes a folder that let everybody in, also when its server still runs", async () => {
    await cluster.start();
    await ask("create table survivor as select 42 as answer");
    await ask("alter role forno password null");
    const trusting = "local all all trust\nhost all all 127.0.0.1/32 trust\n";
    writeFileSync(hba(), trusting);
    const running = new Client(withoutPassword());
    process.kill(cluster.pid ?? Number.NaN, "SIGHUP");
    const pid = cluster.pid;
    await cluster.start();
    expect(cluster.pid).toBe(pid);
    expect(comeIn({}, withoutPassword())).toContain("password");
    await cluster.stop();
    writeFileSync(hba(), trusting);
    await cluster.start();
    expect(comeIn({}, withoutPassword())).toContain("password");
    expect(comeIn({}, cluster.connection("postgres"))).toBe("in");
    expect(await ask("select answer from survivor")).toBe(42);
    await running.end();
  });

  it("leaves lines alone that an operator has written, as long as they trust nobody", async () => {
    const own = `# nobody is in trust here\nlocal forno watcher reject\n${readFileSync(hba(), "utf8")}`;
    writeFileSync(hba(), own);
    await cluster.start();
    expect(readFileSync(hba(), "utf8")).toBe(own);
  });

  (isRoot ? describe : describe.skip)("as root", () => {
    it("keeps other users out, with the password too", async () => {
      await cluster.start();
      for (const uid of [NOBODY, 1000]) {
        const who = { uid, gid: uid };
        expect(comeIn(who, cluster.connection("postgres"))).toBe("EACCES");
        expect(comeIn(who, withoutPassword())).toBe("EACCES");
        const { status } = spawnSync("ls", [home], who);
        expect(status).not.toBe(0);
      }
    });

    (hasOwnUser ? it : it.skip)(
      "runs as a user that nothing else runs as, another for each folder",
      async () => {
        await cluster.start();
        const uid = statSync(data()).uid;
        expect(statSync(`/proc/${String(cluster.pid)}`).uid).toBe(uid);
        expect(uid).toBeGreaterThan(60_000);
        expect(readFileSync("/etc/passwd", "utf8")).not.toContain(`:${String(uid)}:`);
        const { mode, uid: owner, gid } = statSync(home);
        // The server passes through the folder and may change nothing in it; the group has no other member.
        expect({ mode: mode & 0o777, owner, gid }).toEqual({ mode: 0o710, owner: 0, gid: uid });
        const other = new PostgresCluster(BINARIES, path.join(parent, "other"));
        await other.create();
        expect(statSync(path.join(parent, "other/postgres")).uid).not.toBe(uid);
        await cluster.stop();
        await cluster.start();
        expect(statSync(`/proc/${String(cluster.pid)}`).uid).toBe(uid);
      },
    );

    (hasOwnUser ? it : it.skip)("takes a folder over from `nobody`, with its data", async () => {
      await cluster.start();
      await ask("create table survivor as select 42 as answer");
      await cluster.stop();
      for (const entry of readdirSync(data(), { recursive: true, encoding: "utf8" }))
        chownSync(path.join(data(), entry), NOBODY, NOBODY);
      for (const folder of [data(), path.join(home, "socket")]) chownSync(folder, NOBODY, NOBODY);
      writeFileSync(hba(), "local all all trust\n");
      rmSync(path.join(home, "pgpass"));
      chmodSync(home, 0o755);
      await cluster.start();
      expect(await ask("select answer from survivor")).toBe(42);
      const owners = new Set(
        readdirSync(data(), { recursive: true, encoding: "utf8" }).map(
          (entry) => statSync(path.join(data(), entry)).uid,
        ),
      );
      expect([...owners]).toEqual([statSync(data()).uid]);
      expect(owners.has(NOBODY)).toBe(false);
      expect(comeIn({ uid: NOBODY, gid: NOBODY }, withoutPassword())).toBe("EACCES");
      expect(comeIn({}, withoutPassword())).toContain("password");
    });
  });

  it("uses no socket folder that somebody else laid ready for it", async () => {
    const long = path.join(parent, "a".repeat(90));
    const other = new PostgresCluster(BINARIES, long);
    await other.create();
    const { host: socket = "" } = other.connection("postgres");
    expect(socket.startsWith(long)).toBe(false);
    if (isRoot) {
      spawnSync("mkdir", ["-m", "0777", socket]);
      chownSync(socket, NOBODY, NOBODY);
    }
    await other.start();
    try {
      const { mode, uid } = statSync(socket);
      expect(mode & 0o777).toBe(0o700);
      expect(uid).not.toBe(NOBODY);
    } finally {
      await other.stop();
      rmSync(socket, { recursive: true, force: true });
    }
  });
});
