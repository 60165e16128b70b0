import type { FleetNode } from "../../fleet/fleet-node";
import { away, linesOf, nodeOf, type Fault, type Victims } from "./fault";

const AWAY_MS = [100, 3_000] as const;
/** Somebody appends within that, or nobody works at all. */
const APPEND_WITHIN_MS = 5_000;

/** kill -9 of a node at any moment; it comes back on the same ports. */
export const killNode: Fault = {
  async strike(victims, strike) {
    const node = nodeOf(victims, strike);
    await node.kill();
    await away(strike, ...AWAY_MS);
    await node.start();
    return node.id;
  },
};

/** kill -9 of the node that has just sent an append and waits for the log's answer. */
export const killSequencer: Fault = {
  async strike(victims, strike) {
    const node = await nextToAppend(victims);
    await node.kill();
    await away(strike, ...AWAY_MS);
    await node.start();
    return `${node.id}, in the middle of an append`;
  },
};

/** Resolves in the same turn of the event loop in which an append goes out, so its answer cannot be there yet. */
async function nextToAppend(victims: Victims): Promise<FleetNode> {
  let timer: NodeJS.Timeout | undefined;
  const nobody = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`No node appended anything within ${String(APPEND_WITHIN_MS)} ms.`));
    }, APPEND_WITHIN_MS);
  });
  const appending = victims.fleet.nodes.map(async (node) => {
    await linesOf(victims, node).postgres.asked();
    return node;
  });
  return Promise.race([...appending, nobody]).finally(() => {
    clearTimeout(timer);
  });
}
