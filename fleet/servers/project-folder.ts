import { existsSync } from "node:fs";
import path from "node:path";

/** The folder of `package.json`: from the sources as from `dist/`. */
export function projectFolder(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "package-lock.json"))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`${__dirname} is in no project.`);
  }
}
