import path from "node:path";
import { projectFolder } from "../../fleet/servers/project-folder";
import type { SabotageName } from "./all-sabotages";

/** Names of the sabotages of a node, by commas. */
export const SABOTAGES_VARIABLE = "CHAOS_SABOTAGES";

/** The settings by which a node of the built product is sabotaged. */
export function sabotagedBy(names: readonly SabotageName[]): Readonly<Record<string, string>> {
  if (names.length === 0) return {};
  return {
    NODE_OPTIONS: `--require ${path.join(projectFolder(), "dist/chaos/sabotages/preload.js")}`,
    [SABOTAGES_VARIABLE]: names.join(","),
  };
}
