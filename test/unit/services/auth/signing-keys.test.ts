import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadSigningKeys, rotated, type KeptSecret } from "../../../../services/auth/signing-keys";

const NOW = Date.parse("2026-03-01T10:00:00Z");
const DAY = 86_400_000;
const A = "a".repeat(32);
const B = "b".repeat(32);

describe("Signing keys from the settings", () => {
  const load = (JWT_SECRET: string) =>
    loadSigningKeys({ JWT_SECRET, DATA_DIR: "/nonexistent", DATABASE_URL: undefined }, NOW);

  it("have a kid that depends on the secret alone, and touch no file", () => {
    expect(load(A).current.kid).toBe(load(A).current.kid);
    expect(load(A).current.kid).not.toBe(load(B).current.kid);
  });

  it("may be several: the first signs, all verify", () => {
    const keys = load(`${A},${B}`);
    expect(keys.current.kid).toBe(load(A).current.kid);
    expect(keys.find(load(B).current.kid)).toBeDefined();
  });

  it("are one when a comma is just a character of a passphrase", () => {
    const keys = load("to be, or not to be, that is the question");
    expect(keys.find(load("to be, or not to be, that is the question").current.kid)).toBeDefined();
    expect(keys.find(undefined)).toBeUndefined();
  });

  it("derive other secrets for other purposes", () => {
    const keys = load(A);
    expect(keys.digest("one", "text").equals(keys.digest("one", "text"))).toBe(true);
    expect(keys.digest("one", "text").equals(keys.digest("two", "text"))).toBe(false);
  });
});

describe("Generated signing keys", () => {
  let DATA_DIR: string;
  let DATABASE_URL: string | undefined;
  beforeEach(() => {
    DATA_DIR = mkdtempSync(path.join(tmpdir(), "forno-keys-"));
    DATABASE_URL = undefined;
  });
  afterEach(() => {
    rmSync(DATA_DIR, { recursive: true, force: true });
  });
  const load = (now_ms = NOW) => loadSigningKeys({ JWT_SECRET: undefined, DATA_DIR, DATABASE_URL }, now_ms);
  const file = () => path.join(DATA_DIR, "signing-keys.json");

  it("survive a restart, in a file that only its owner reads", () => {
    expect(load().current.kid).toBe(load().current.kid);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(DATA_DIR)).toEqual(["signing-keys.json"]);
  });

  it("lie in a folder that only its owner enters, with an outside database too", () => {
    rmSync(DATA_DIR, { recursive: true });
    load();
    expect(statSync(DATA_DIR).mode & 0o777).toBe(0o700);
    chmodSync(DATA_DIR, 0o755);
    DATABASE_URL = "postgres://forno@localhost/forno";
    load();
    expect(statSync(DATA_DIR).mode & 0o777).toBe(0o700);
  });

  it("get their permissions back when somebody opened them to others", () => {
    load();
    chmodSync(file(), 0o644);
    load();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("are replaced after 90 days, and the old one verifies for a day more", () => {
    const old = load().current.kid;
    const renewed = load(NOW + 90 * DAY);
    expect(renewed.current.kid).not.toBe(old);
    expect(renewed.find(old)).toBeDefined();
    const later = load(NOW + 92 * DAY);
    expect(later.current.kid).toBe(renewed.current.kid);
    expect(later.find(old)).toBeUndefined();
  });

  it("are not replaced by accident: a damaged file stops the start and does not quote its content", () => {
    writeFileSync(file(), `[{"secret":"topsecret`);
    expect(() => load()).toThrow("damaged");
    expect(() => load()).not.toThrow("topsecret");
    expect(readFileSync(file(), "utf8")).toContain("topsecret");
  });

  it("that are not due for anything stay the same list", () => {
    const kept: KeptSecret[] = [{ secret: "x", created_at: new Date(NOW).toISOString() }];
    expect(rotated(kept, NOW + DAY)).toBe(kept);
  });
});
