import { randomUUID } from "node:crypto";
import type { ActorHost, ActorKind } from "../../mixins/actor/actor-host";
import type { CommandIdentity } from "../../mixins/contract/caller";
import type { CommandOutcome } from "../../mixins/contract/implement";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { EventMeta, StreamAppend } from "../../mixins/event-log/event-log";

/** A purse: the smallest aggregate that can refuse. Its state is changed in place, as a kitchen-day's is. */
export interface Purse {
  balance: number;
}
export type PurseEvent = { readonly type: "purse.moved"; readonly data: { readonly amount: number } };
export type PurseCommand =
  | {
      readonly kind: "move";
      readonly amount: number;
      readonly founds?: readonly StreamAppend[];
      readonly answer?: unknown;
    }
  | { readonly kind: "nothing" }
  | { readonly kind: "break_decide" }
  | { readonly kind: "break_evolve" };

export const purseKind: ActorKind<Purse, PurseCommand, PurseEvent, undefined> = {
  kind: "purse",
  decider: {
    initialState: () => ({ balance: 0 }),
    decide(command, state) {
      switch (command.kind) {
        case "move": {
          const { amount, founds = [] } = command;
          const after = state.balance + amount;
          if (after < 0)
            return refuse("unprocessable", "purse.empty", "There is not so much in it.", {
              balance: state.balance,
            });
          return {
            events: [{ type: "purse.moved", data: { amount } }],
            founds,
            answer: command.answer ?? { balance: after },
          };
        }
        case "nothing":
          return { events: [], answer: { balance: state.balance } };
        case "break_decide":
          throw new Error("decide is broken");
        case "break_evolve":
          return { events: [{ type: "purse.moved", data: { amount: Number.NaN } }], answer: null };
      }
    },
    evolve(state, event) {
      if (typeof event.data.amount !== "number" || Number.isNaN(event.data.amount))
        throw new Error("evolve is broken");
      state.balance += event.data.amount;
      return state;
    },
  },
  given: () => Promise.resolve({ given: undefined }),
};

export const fresh = (): CommandIdentity => ({ id: randomUUID(), fingerprint: "", fresh: true });
export const keyed = (fingerprint = "same"): CommandIdentity => ({ id: randomUUID(), fingerprint });

export type PurseHost = ActorHost<Purse, PurseCommand>;

/** Moves money into (or out of) a purse. */
export function move(
  host: PurseHost,
  stream_id: string,
  amount: number,
  identity = fresh(),
  meta: EventMeta = {},
): Promise<CommandOutcome | Refusal> {
  return host.tell(stream_id, { kind: "move", amount }, identity, meta);
}

/** Balance that a host sees. */
export const balanceOf = (host: PurseHost, stream_id: string): Promise<number> =>
  host.read(stream_id, (state) => state.balance);
