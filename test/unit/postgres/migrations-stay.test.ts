import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { migrationFiles } from "../../../mixins/postgres/migration-files";
import { MIGRATIONS } from "../../support/postgres";

const GOLDEN = path.resolve(__dirname, "../../support/migrations.golden.txt");

/**
 * What has gone out has been applied somewhere: an edit would reach new databases and no old one. A mistake is mended by a new
 * file; UPDATE_GOLDEN=1 takes new ones in, and no changed one.
 */
test("a migration that has gone out is never edited", () => {
  const known = readFileSync(GOLDEN, "utf8").trim().split("\n");
  const today = migrationFiles(MIGRATIONS).map(({ file, sha256 }) => `${file} ${sha256}`);
  const fresh = today.filter((line) => !known.some((one) => one.split(" ")[0] === line.split(" ")[0]));
  if (process.env["UPDATE_GOLDEN"] === "1" && fresh.length > 0)
    writeFileSync(GOLDEN, `${[...known.filter((line) => line !== ""), ...fresh].sort().join("\n")}\n`);
  else expect(fresh).toEqual([]);
  expect(today.filter((line) => !fresh.includes(line)).sort()).toEqual(
    known.filter((line) => line !== "").sort(),
  );
});
