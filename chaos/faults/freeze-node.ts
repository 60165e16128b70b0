import { away, nodeOf, type Fault } from "./fault";

/** Beyond the time after which others hold a node for dead. */
const FROZEN_MS = [8_000, 10_000] as const;

/** SIGSTOP of a node until everybody has given it up; then it wakes and believes that nothing has happened. */
export const freezeNode: Fault = {
  async strike(victims, strike) {
    const node = nodeOf(victims, strike);
    node.suspend();
    try {
      await away(strike, ...FROZEN_MS);
    } finally {
      node.resume();
    }
    return node.id;
  },
};
