import type { Fault } from "./fault";

/** A new version is rolled out: node after node finishes what is under way, stops and starts again. */
export const rollingRestart: Fault = {
  async strike({ fleet }) {
    for (const node of fleet.nodes) {
      const code = await node.stop();
      if (code !== 0) throw new Error(`${node.id} did not stop gracefully: it ended with ${String(code)}.`);
      await node.start();
    }
    return "all nodes in turn";
  },
};
