import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import {
  DataDirInUseError,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from "../../../mixins/postgres/embedded-postgres";
import { eventually } from "../../support/eventually";

describe("the embedded database of a data directory", () => {
  let home: string;
  let database: EmbeddedPostgres;
  const warnings: string[] = [];
  const log = { warn: (line: string) => void warnings.push(line) };

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), "forno-data-"));
    database = await startEmbeddedPostgres(home, log);
  });

  afterAll(async () => {
    await database.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it("refuses a second Forno by name and leaves the first one's server running", async () => {
    const pid = database.pid ?? Number.NaN;
    expect(pid).toBeGreaterThan(0);
    await expect(startEmbeddedPostgres(home, log)).rejects.toThrow(DataDirInUseError);
    expect(database.pid).toBe(pid);
    expect(() => process.kill(pid, 0)).not.toThrow();
  });

  it("is started again when its server is killed", async () => {
    const killed = database.pid ?? Number.NaN;
    process.kill(killed, "SIGKILL");
    await eventually(() => {
      expect(database.pid).not.toBe(killed);
      expect(warnings).toContain("The embedded database is back.");
    });
    const client = new Client(database.connection);
    await client.connect();
    await client.end();
  });

  it("leaves no server behind after a graceful stop", async () => {
    await database.stop();
    expect(database.pid).toBeUndefined();
    database = await startEmbeddedPostgres(home, log);
    expect(database.pid).toBeDefined();
  });
});
