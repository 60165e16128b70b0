/** Loaded before a node's own program, by `node --require`: changes the built product in this process alone. */
import { createRequire } from "node:module";
import path from "node:path";
import { SABOTAGES_VARIABLE } from "./environment";

const load = createRequire(__filename);
for (const name of (process.env[SABOTAGES_VARIABLE] ?? "").split(","))
  if (name !== "") load(path.join(__dirname, "patches", `${name}.js`));
