import type { ERASED_EVENT } from "../../mixins/erasure/erased-event";

/**
 * A person was forgotten (stream `erasure-<erasure_id>`): the keys of their streams are gone (`es.data_key.erasure_id` names these),
 * and what the rooms kept of them. Whoever holds copies of personal texts deletes them when this comes. It says nothing personal
 * itself: of somebody without an account not even who it was.
 */
export type CustomerErased = {
  readonly type: typeof ERASED_EVENT;
  readonly data: {
    readonly erasure_id: string;
    /** The account; null: whoever had a phone number. */
    readonly user_id: string | null;
    /** `rest`: what had still come in while the account was erased. */
    readonly by: "self" | "desk" | "rest";
    /** Streams that lost their keys. */
    readonly streams: number;
    readonly at: string;
  };
};

/** Stream of an erasure. */
export const erasureStream = (erasure_id: string): string => `erasure-${erasure_id}`;
