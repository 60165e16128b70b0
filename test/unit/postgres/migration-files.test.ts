import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  assertFits,
  migrationFiles,
  type Applied,
  type MigrationFile,
} from "../../../mixins/postgres/migration-files";
import { MIGRATIONS } from "../../support/postgres";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-migrations-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const put = (file: string, sql = "select 1"): void => {
  writeFileSync(path.join(folder, file), sql);
};
const applied = (file: MigrationFile | undefined, change: Partial<Applied> = {}): Applied => {
  if (file === undefined) throw new Error("There is no such file.");
  return { ...file, ...change };
};

describe("the files of a folder", () => {
  it("are in the order of their numbers, four digits before minutes", () => {
    put("202611301152-c.sql");
    put("0002-b.sql");
    put("0001-a.sql");
    put("202612010000-d.sql");
    put("notes.txt");
    expect(migrationFiles(folder).map(({ file }) => file)).toEqual([
      "0001-a.sql",
      "0002-b.sql",
      "202611301152-c.sql",
      "202612010000-d.sql",
    ]);
    expect(migrationFiles(folder).map(({ name }) => name.slice(-13))).toEqual([
      "1700000000001",
      "1700000000002",
      "2026113011520",
      "2026120100000",
    ]);
  });

  it("have one number each, and a name that tells it", () => {
    put("0001-a.sql");
    put("0001-b.sql");
    expect(() => migrationFiles(folder)).toThrow("0001-a.sql and 0001-b.sql have one number");
    rmSync(path.join(folder, "0001-b.sql"));
    put("20261130-c.sql");
    expect(() => migrationFiles(folder)).toThrow("20261130-c.sql: a migration is named by its minute in UTC");
  });

  it("are our own ones", () => {
    expect(migrationFiles(MIGRATIONS).length).toBeGreaterThan(50);
  });
});

describe("a database", () => {
  beforeEach(() => {
    put("0001-a.sql");
    put("0002-b.sql");
  });
  const files = (): MigrationFile[] => migrationFiles(folder);
  const fits = (...said: readonly Applied[]) => {
    assertFits(files(), said);
  };

  it("fits when it has applied these files, or the first of them, or none", () => {
    const [a, b] = files();
    fits();
    fits(applied(a));
    fits(applied(a), applied(b));
  });

  it("fits when it is from before files were registered", () => {
    fits(applied(files()[0], { sha256: null, breaks: null }));
  });

  it("does not fit when a file was changed after it had been applied", () => {
    const said = files().map((file) => applied(file));
    put("0002-b.sql", "select 2");
    expect(() => {
      fits(...said);
    }).toThrow("0002-b.sql was changed after this database had applied it");
  });

  it("does not fit when a file comes late, before one that it has applied", () => {
    expect(() => {
      fits(applied(files()[1]));
    }).toThrow("0001-a.sql comes before what this database has applied already");
  });

  it("of a newer program fits unless that broke with older ones", () => {
    const newer = (breaks: boolean): Applied => ({ name: "c_2026113011520", sha256: "x", breaks });
    const said = files().map((file) => applied(file));
    fits(...said, newer(false));
    expect(() => {
      fits(...said, newer(true));
    }).toThrow("A newer Forno has migrated this database (c_2026113011520)");
  });

  it("is told that a file breaks with older nodes by a line of its own with a reason", () => {
    put(
      "0003-c.sql",
      "-- What it does.\n-- Breaks older nodes: they write the column that is gone.\nselect 1",
    );
    put("0004-d.sql", "-- Breaks older nodes:\nselect 1");
    expect(files().map(({ breaks }) => breaks)).toEqual([false, false, true, false]);
  });
});
