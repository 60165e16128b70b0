import type { Fault } from "./fault";

/** A new version is rolled out: node after node finishes what is under way, stops and starts again. */
export const rollingRestart: Fault = {
  async strike({ fleet }) {
    const cut: string[] = [];
    for (const node of fleet.nodes) {
      const code = await node.stop();
      if (code !== 0)
        cut.push(`${node.id} ended with ${String(code)}: ${node.output.trim().split("\n").at(-1) ?? ""}`);
      await node.start();
    }
    if (cut.length > 0) throw new Error(`Not every node stopped gracefully: ${cut.join("; ")}`);
    return "all nodes in turn";
  },
};
