import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { projectFolder } from "./project-folder";

/** The class path of a Kafka server, or why there is none on this machine. */
export type KafkaJars = { readonly libs: string } | { readonly missing: string };

/**
 * Kafka's jars: `KAFKA_HOME/libs`, else fetched once through Maven into `node_modules/.cache`. Without Java, or without
 * both, the answer says what to install.
 */
export function kafkaJars(env: Readonly<Record<string, string | undefined>> = process.env): KafkaJars {
  if (!runs("java", "-version")) return { missing: "there is no java: install a JRE 17 or newer" };
  const home = env["KAFKA_HOME"];
  if (home !== undefined && home !== "") {
    const libs = path.join(home, "libs");
    return existsSync(libs) ? { libs } : { missing: `KAFKA_HOME=${home} has no folder libs` };
  }
  const cache = path.join(projectFolder(), "node_modules/.cache/forno");
  const libs = path.join(cache, "kafka-3.9.1");
  if (existsSync(libs)) return { libs };
  if (!runs("mvn", "-version"))
    return { missing: "there is no mvn to fetch Kafka with: install Maven, or set KAFKA_HOME" };
  mkdirSync(cache, { recursive: true });
  return fetchInto(libs, mkdtempSync(path.join(cache, "kafka-")));
}

/** Fetched beside and moved into place, so that a broken fetch, or two at once, leave nothing half. */
function fetchInto(libs: string, folder: string): KafkaJars {
  const pom = path.join(projectFolder(), "fleet/servers/kafka.pom.xml");
  const args = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${folder}`];
  const { status, stdout, stderr } = spawnSync("mvn", args, { encoding: "utf8" });
  try {
    if (status !== 0) return { missing: `Maven did not fetch it: ${(stdout + stderr).trim().slice(0, 500)}` };
    if (!existsSync(libs)) renameSync(folder, libs);
    return { libs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}
