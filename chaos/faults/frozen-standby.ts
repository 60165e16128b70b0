import { randomUUID } from "node:crypto";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { connectionOf } from "../../mixins/postgres/pool";
import type { SynchronousStandby } from "../../fleet/synchronous-standby";
import { linesOf, type Fault, type Victims } from "./fault";
import { emptied } from "./redis";

const FOLLOWS_MS = 1_500;
/** How often the backends that wait are cut off: each time what they did is found, and must not be believed. */
const CUTS = 6;
const CUT_EVERY_MS = 400;

/**
 * A second PostgreSQL confirms each commit. Its receiver freezes; backends that wait for it are cut off again and again, so that
 * what they did is there for everybody to see, and on one machine alone; then that machine is gone, the other takes its place,
 * and the nodes start again on it with an empty Redis. What was acknowledged has to be there, and nothing twice.
 */
export const frozenStandby: Fault = {
  impossible: ({ fleet }) =>
    fleet.kafka === undefined ? undefined : "Kafka would go on to tell what the log has lost",
  async strike(victims) {
    const { fleet } = victims;
    const { postgres } = fleet;
    // Beside the first, so that the one's user may enter where the other's may.
    const folder = path.join(victims.folder, `standby-${randomUUID().slice(0, 8)}`);
    const standby = await postgres.startStandby(folder);
    victims.leftBehind(standby);
    await pause(FOLLOWS_MS);
    await standby.freeze();
    const cut = await cutWaiting(standby);
    const seen = await headOf(postgres.url);
    await postgres.kill();
    await Promise.all(fleet.nodes.map((node) => node.kill()));
    await standby.promote();
    postgres.takenOverBy(standby);
    const kept = await headOf(postgres.url);
    victims.rewind(kept);
    await restart(victims);
    return `${String(cut)} waiting backends, ${String(seen - kept)} events that were seen and not kept`;
  },
};

async function cutWaiting(standby: SynchronousStandby): Promise<number> {
  let cut = 0;
  for (let n = 0; n < CUTS; n += 1) {
    await pause(CUT_EVERY_MS);
    cut += await standby.cutWaiting();
  }
  return cut;
}

async function restart(victims: Victims): Promise<void> {
  const { fleet } = victims;
  await emptied(victims);
  for (const node of fleet.nodes) linesOf(victims, node).postgres.redirect(connectionOf(fleet.postgres.url));
  await Promise.all(fleet.nodes.map((node) => node.start()));
}

async function headOf(database_url: string): Promise<number> {
  const client = new Client(connectionOf(database_url));
  await client.connect();
  try {
    const { rows } = await client.query<{ head: string }>("select head from es.lane");
    return Number(rows[0]?.head);
  } finally {
    await client.end();
  }
}
