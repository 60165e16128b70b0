import { away, linesOf, nodeOf, type Fault, type NodeLines } from "./fault";
import type { Line } from "./line";

/** From shorter than a client waits for an answer to longer than the node's own limits. */
const APART_MS = [3_000, 18_000] as const;
type Server = keyof NodeLines;
/** By a strike's force: apart from everything, or from one server that others still have. */
const FROM: readonly (readonly Server[])[] = [
  ["postgres", "nats", "redis"],
  ["postgres"],
  ["nats"],
  ["redis"],
  ["nats", "redis"],
];

/**
 * A node's network comes apart: its connections to some servers stay open and nothing passes; then everything that was held
 * arrives at once. By proxies, which need no rights, unlike network namespaces.
 */
export const partition: Fault = {
  async strike(victims, strike) {
    const node = nodeOf(victims, strike);
    const own = linesOf(victims, node);
    const from = FROM[strike.force % FROM.length] ?? [];
    const lines: Line[] = from.flatMap((server) => own[server] ?? []);
    for (const line of lines) line.hold();
    try {
      await away(strike, ...APART_MS);
    } finally {
      for (const line of lines) line.resume();
    }
    return `${node.id} from ${from.join(", ")}`;
  },
};
