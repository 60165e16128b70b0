import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { clearFolder, lockFolder } from "../../../fleet/fleet-folder";
import { FleetPostgres } from "../../../fleet/fleet-postgres";
import { fleetSecrets } from "../../../fleet/fleet-secrets";
import { lookAtProcess } from "../../../mixins/process-table";

describe("a fleet's folder", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-fleet-folder-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const at = (...names: string[]): string => path.join(folder, ...names);

  it("is of one fleet at a time", () => {
    const unlock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(`(pid ${String(process.pid)})`);
    unlock();
    lockFolder(folder)();
  });

  it("is free when its fleet has died without saying so", () => {
    // No process has this number: it is beyond the largest one.
    writeFileSync(at("fleet.pid"), "4194305");
    const unlock = lockFolder(folder);
    expect(readFileSync(at("fleet.pid"), "utf8").split("\n", 1)).toEqual([String(process.pid)]);
    unlock();
    expect(existsSync(at("fleet.pid"))).toBe(false);
  });

  it("is free when another process has the number of its dead fleet", () => {
    const unlock = lockFolder(folder);
    const [, started = ""] = readFileSync(at("fleet.pid"), "utf8").split("\n");
    expect(started).not.toBe("");
    const stranger = spawn("sleep", ["600"], { stdio: "ignore" });
    try {
      writeFileSync(at("fleet.pid"), `${String(stranger.pid)}\n${started}`);
      lockFolder(folder)();
    } finally {
      stranger.kill("SIGKILL");
    }
    unlock();
  });

  it("keeps its secrets, for its owner alone", () => {
    const made = fleetSecrets(folder);
    expect(made.isNew).toBe(true);
    expect(made.jwtSecret.length).toBeGreaterThanOrEqual(32);
    expect(fleetSecrets(folder)).toEqual({ ...made, isNew: false });
    expect(statSync(at("secrets.json")).mode & 0o777).toBe(0o600);
  });

  it("is cleared whole, with the PostgreSQL that outlived its fleet, and stays locked", async () => {
    const unlock = lockFolder(folder);
    fleetSecrets(folder);
    mkdirSync(at("node-1", "data"), { recursive: true });
    const postgres = new FleetPostgres(at("postgres"));
    await postgres.start();
    const { pid } = postgres;
    await clearFolder(folder);
    // "dead" until its parent, which is this process, hears of it.
    expect(["gone", "dead"]).toContain(lookAtProcess(pid ?? 0));
    for (const name of ["secrets.json", "node-1", "postgres"]) expect(existsSync(at(name))).toBe(false);
    expect(() => lockFolder(folder)).toThrow("A fleet runs");
    unlock();
  });

  it("is left alone when it holds what no fleet has made", async () => {
    fleetSecrets(folder);
    writeFileSync(at("thesis.doc"), "years of work");
    await expect(clearFolder(folder)).rejects.toThrow("thesis.doc");
    expect(existsSync(at("secrets.json"))).toBe(true);
  });
});
