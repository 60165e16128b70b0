import { away, nodeOf, proxyOf, type Fault } from "./fault";

/** Longer than a client waits for an answer, shorter than the node's own limits and beyond them. */
const APART_MS = [3_000, 18_000] as const;

/**
 * A node loses PostgreSQL as by a network that has come apart: its connections stay open and nothing passes. Then
 * everything that was held arrives at once. By proxy, which needs no rights, unlike network namespaces.
 */
export const partition: Fault = {
  async strike(victims, strike) {
    const node = nodeOf(victims, strike);
    const proxy = proxyOf(victims, node);
    proxy.hold();
    try {
      await away(strike, ...APART_MS);
    } finally {
      proxy.resume();
    }
    return `${node.id} from postgres`;
  },
};
