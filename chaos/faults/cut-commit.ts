import { setTimeout as pause } from "node:timers/promises";
import type { Cut } from "./cutting-proxy";
import { linesOf, nodeOf, type Fault } from "./fault";

const CUT_WITHIN_MS = 10_000;
/** A late message comes when its sender has long asked again. */
const LATE_MS = 300;

/**
 * Breaks a node's appending connection again and again: after the COMMIT was sent and before its answer; now and then
 * before it was sent, or so that it arrives after its repetition.
 */
export const cutCommit: Fault = {
  async strike(victims, strike) {
    const node = nodeOf(victims, strike);
    const proxy = linesOf(victims, node).postgres;
    const cuts = Array.from({ length: 2 + strike.force }, (_, n): Cut => cutAt(n));
    const done_before = proxy.cuts_done;
    const done = (): number => proxy.cuts_done - done_before;
    proxy.cutNext(...cuts);
    const deadline = performance.now() + CUT_WITHIN_MS;
    while (done() < cuts.length && performance.now() < deadline) {
      await pause(LATE_MS);
      proxy.release();
    }
    proxy.spare();
    await pause(LATE_MS);
    proxy.release();
    if (done() === 0) throw new Error(`${node.id} appended nothing that could be cut.`);
    return `${node.id}, ${String(done())} times`;
  },
};

const cutAt = (n: number): Cut => (n % 3 === 1 ? "late" : n % 3 === 2 ? "before" : "after");
