import { act } from "../../mixins/contract/implement";
import type { EventLog, Position, RecordedEvent } from "../../mixins/event-log/event-log";
import { positionAsOf } from "../../mixins/event-log/position-as-of";
import type { Logger } from "../../mixins/logger";
import { listBranches } from "../branch/branch.contract";
import { rulesOf, rulesWrite, slotWriteUnder } from "./mirror.branches";
import { ORDER_KEPT_MS } from "./mirror.keys";
import { slotsKept } from "./mirror.slots";
import type { Marker, MirrorStore } from "./mirror.store";
import { menuWrite, Translation, type TranslationNeeds } from "./mirror.translation";

const BATCH_EVENTS = 1_000;
/** Clocks of nodes and database may differ by so much, and an event is timed before it is recorded. */
const CLOCKS_DIFFER_MS_MAX = 3_600_000;

export interface RebuildNeeds extends TranslationNeeds {
  readonly store: MirrorStore;
  readonly logger: Logger;
}

/**
 * Fills an empty mirror, or one of unknown state: menu, slot rules and slots as the read models have them, then the orders
 * of the last 24 hours from the log. What is there is overwritten only by something newer, so readers never see an older
 * value after a newer one. Memory: one batch, and the orders kept by the translation.
 *
 * `published`: the position up to which messages are known to have gone out; from there the mirror goes on. Without it,
 * from the head as it was at the beginning.
 * @throws MirrorLostError when the mirror is lost again meanwhile, or `over` when told to stop.
 */
export async function rebuildMirror(
  needs: RebuildNeeds,
  generation: string,
  published: Position | undefined,
  over: AbortSignal,
): Promise<Marker> {
  const { store, log, logger } = needs;
  const began_ms = performance.now();
  const written = store.keys_written;
  await store.begin(generation);
  const head = await log.head();
  await fillBoards(needs, generation, head, over);
  const since = await positionAsOf(log, needs.clock.now() - ORDER_KEPT_MS - CLOCKS_DIFFER_MS_MAX, head);
  const translation = new Translation(needs);
  for (let at = since; at < head;) {
    over.throwIfAborted();
    const events = await log.readAll(at, Math.min(BATCH_EVENTS, head - at));
    await store.fill(generation, (await translation.of(events)).writes);
    at += events.length;
  }
  const position = Math.min(head, published ?? head);
  const event_id = await eventNameAt(log, position);
  await store.finish(generation, position, event_id);
  const seconds = ((performance.now() - began_ms) / 1_000).toFixed(2);
  logger.info(`rebuilt in ${seconds} s: ${store.keys_written - written} keys, ${head - since} events read`);
  return { generation, state: "following", position, event_id };
}

async function fillBoards(
  needs: RebuildNeeds,
  generation: string,
  head: Position,
  over: AbortSignal,
): Promise<void> {
  const { store, log, broker } = needs;
  await store.fill(generation, [await menuWrite(needs, head)]);
  // A branch that this node has yet to hear of is young: it comes with the log of the last hours.
  const { items } = await act(broker, listBranches, {});
  for (const { branch_id } of items) {
    over.throwIfAborted();
    const branch = await rulesOf(log, branch_id);
    if (branch === undefined) continue;
    await store.fill(generation, [rulesWrite(branch)]);
    const reached = Math.max(head, branch.position);
    const slots = await slotsKept(needs, branch_id, reached);
    await store.fill(
      generation,
      slots.map((slot) => slotWriteUnder(branch, slot)),
    );
  }
}

/** Names an event: its id alone, derived from stream and version, may come again in a log that went back. */
export const eventNameOf = ({
  event_id,
  recorded_at,
}: Pick<RecordedEvent, "event_id" | "recorded_at">): string => `${event_id} ${recorded_at}`;

/** Names the event at a position; empty at 0. */
export async function eventNameAt(log: Pick<EventLog, "readAll">, position: Position): Promise<string> {
  if (position === 0) return "";
  const [event] = await log.readAll(position - 1, 1);
  return event === undefined ? "" : eventNameOf(event);
}
