// Compiles to dist/ and puts beside it what is read at run time. With --if-stale: only when a source is newer.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const stamp = path.join(root, "dist/.built");
const sources = [
  "*.ts",
  "*.json",
  "{services,mixins,entities,seed,fleet,chaos,bench,examples}/**/*.{ts,sql}",
  "proto/**/*.proto",
  "web/**/*",
];

function stale() {
  if (!existsSync(stamp)) return true;
  const built = statSync(stamp).mtimeMs;
  return globSync(sources, { cwd: root }).some((file) => statSync(path.join(root, file)).mtimeMs > built);
}

if (!process.argv.includes("--if-stale") || stale()) {
  const started = new Date();
  mkdirSync(path.join(root, "dist"), { recursive: true });
  execFileSync(
    process.execPath,
    [path.join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"],
    {
      cwd: root,
      stdio: "inherit",
    },
  );
  for (const folder of ["entities/migrations", "proto", "web"])
    if (existsSync(path.join(root, folder)))
      cpSync(path.join(root, folder), path.join(root, "dist", folder), {
        recursive: true,
        filter: (file) => !file.endsWith(".ts"),
      });
  writeFileSync(stamp, started.toISOString());
}
