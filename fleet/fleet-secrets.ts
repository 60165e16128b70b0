import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Made once for a fleet's folder, and kept beside its data for its owner alone. */
export interface FleetSecrets {
  /** Shared by all nodes: they sign and verify each other's tokens. */
  readonly jwtSecret: string;
  /** Of `admin`, at the first start. */
  readonly adminPassword: string;
  /** Of the role that a replica connects as. */
  readonly replicationPassword: string;
}

/** The secrets of a fleet's folder, and whether they were made just now. */
export function fleetSecrets(folder: string): FleetSecrets & { readonly isNew: boolean } {
  const file = path.join(folder, "secrets.json");
  const isNew = !existsSync(file);
  if (isNew) {
    const made: FleetSecrets = {
      jwtSecret: randomBytes(48).toString("base64url"),
      adminPassword: randomBytes(15).toString("base64url"),
      replicationPassword: randomBytes(24).toString("base64url"),
    };
    writeFileSync(file, JSON.stringify(made, undefined, 2), { mode: 0o600 });
  }
  return { ...(JSON.parse(readFileSync(file, "utf8")) as FleetSecrets), isNew };
}
