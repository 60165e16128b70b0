import type { PoolClient } from "pg";
import type { Ctx } from "../../mixins/contract/caller";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import { callerOf, commandOf, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import type { StreamAppend } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import type { MenuEvent } from "./menu.events";

/** What a transaction on the menu's tables says to the log, and the answer to whoever asked. */
export interface MenuChange {
  readonly stream_id: string;
  /** Kind of stream. */
  readonly stream_type: "menu" | "menu-drafts" | "flash-sale" | "promo-code";
  /** Version of the stream before; kept in the rows, under their locks. */
  readonly expected_version: number;
  readonly events: readonly MenuEvent[];
  readonly answer: object;
}

/** Who does it, and when. */
export interface Sign {
  readonly by: string | null;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** The largest discount that they may give, percent. */
  readonly percent_max: number;
}

/** A change inside its transaction; undefined: everything is as wanted already. */
export type ChangeWork = (tx: PoolClient, sign: Sign) => Promise<MenuChange | Refusal | undefined>;

/** Never leaves this file: rolls the transaction back. */
const AS_WANTED = refuse("conflict", "menu.as_wanted", "Nothing to do.");

/**
 * Commits rows, event and the command's answer together, or nothing. `asWanted` answers when there was nothing to do; such a
 * command leaves no trace and may be repeated.
 */
export async function changeMenu(
  runtime: Runtime,
  ctx: Ctx<unknown>,
  work: ChangeWork,
  asWanted: () => Promise<object> = () => Promise.resolve({}),
): Promise<CommandOutcome | Refusal> {
  const caller = callerOf(ctx);
  const percent_max = ["super_admin", "system"].includes(caller.role)
    ? 100
    : runtime.settings.OFFER_PERCENT_MAX;
  const outcome = await changeRows(runtime, commandOf(ctx), async (tx) => {
    const change = await work(tx, {
      ...{ by: caller.user_id, percent_max },
      at: new Date(runtime.clock.now()).toISOString(),
    });
    if (change === undefined) return AS_WANTED;
    if (isRefusal(change)) return change;
    return { streams: [appendOf(change)], answer: change.answer, meta: eventMetaOf(ctx, "menu") };
  });
  if (outcome !== AS_WANTED) return outcome;
  const answer = await asWanted();
  await runtime.log.durable();
  return { answer, position: await runtime.log.head(), replayed: false };
}

/** What the log is given of a change. */
export function appendOf({ stream_id, stream_type, expected_version, events }: MenuChange): StreamAppend {
  return { stream_id, stream_type, expected_version, events };
}

/** The answer that the log kept, with the position that it was given at. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- T comes from the contract that is answered
export function withPosition<T extends { position: number }>(answer: unknown, position: number): T {
  return { ...(answer as Omit<T, "position">), position } as T;
}
