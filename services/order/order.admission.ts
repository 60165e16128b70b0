import { hash } from "node:crypto";
import { networkOf } from "../../mixins/contract/client-network";
import type { Refusal } from "../../mixins/contract/refusal";
import {
  confirmationNeeded,
  tooMuch,
  type Noted,
  type OrderAsked,
  type OrderLimits,
  type Subject,
} from "./order.limits";
import type { NotePlace, OrderNotes } from "./order.noted";
import type { OpenBook } from "./order.open-book";

/** An order at the moment it is asked for. */
export interface AskedNow extends OrderAsked {
  /** As the gateway counts clients; undefined: from inside. */
  readonly address: string | undefined;
  /** Where the branch can be called. */
  readonly branch_phone: string | null;
}

export interface AdmissionDeps {
  readonly limits: OrderLimits;
  readonly book: OpenBook;
  readonly notes: OrderNotes;
  /** Whether a customer has had an order delivered. */
  readonly hasReceived: (user_id: string) => Promise<boolean>;
  readonly onRefused: (code: string, by: Subject | "amount") => void;
}

const MINUTE_MS = 60_000;
/** By then an order that came from an address is closed, or nobody counts it any more. */
const ADDRESS_KEPT_MS = 60 * MINUTE_MS;

/**
 * Says whether an order may be placed by whom it comes from. Every order is noted first and judged then by what was noted before
 * it and what is in the book, so of orders at the same moment none overlooks another: on one node, and on all nodes that share a
 * Redis, no limit by account, phone, address or network is ever exceeded. Nodes without Redis see each other's orders when the
 * feed brings them; so does the limit of a branch, everywhere.
 *
 * Customers who have had an order delivered are held to the limits of their own account and to no other: nobody can use up
 * what they share with others, be it an address, a network, a branch, or their phone's number.
 */
export class OrderAdmission {
  constructor(private readonly deps: AdmissionDeps) {}

  /** Refusals: `order.confirmation_needed` and those of {@link tooMuch}. */
  async refusalOf(asked: AskedNow): Promise<Refusal | undefined> {
    const { limits, book, hasReceived, onRefused } = this.deps;
    const unconfirmed = confirmationNeeded(asked, limits, asked.branch_phone);
    if (unconfirmed !== undefined) {
      onRefused(unconfirmed.code, "amount");
      return unconfirmed;
    }
    const found = tooMuch(asked, book, await this.#noted(asked), limits);
    if (found === undefined) return undefined;
    const { user_id } = asked;
    if (found.by !== "account" && user_id !== null && (await hasReceived(user_id))) return undefined;
    this.withdraw(asked);
    onRefused(found.refusal.code, found.by);
    return found.refusal;
  }

  /** The order was not placed, and will not be. */
  withdraw(asked: AskedNow): void {
    this.deps.notes.forget(Object.values(placesOf(asked)), asked.order_id, asked.total_minor);
  }

  async #noted(asked: AskedNow): Promise<Noted> {
    const places = placesOf(asked);
    const names = Object.keys(places) as (keyof Noted)[];
    const told = await this.deps.notes.note(Object.values(places), asked.order_id, asked.total_minor);
    const noted = Object.fromEntries(names.map((name, at) => [name, told[at] ?? []]));
    return { account: [], phone: [], address: [], network: [], ...noted };
  }
}

function placesOf({ user_id, phone, address }: AskedNow): Partial<Record<keyof Noted, NotePlace>> {
  const network = networkOf(address);
  return {
    ...(user_id === null ? {} : { account: place("account", user_id, MINUTE_MS) }),
    ...(phone === null ? {} : { phone: place("phone", phone, MINUTE_MS) }),
    ...(address === undefined ? {} : { address: place("address", address, ADDRESS_KEPT_MS) }),
    ...(network === undefined ? {} : { network: place("network", network, MINUTE_MS) }),
  };
}

/** Notes outlive their time in memory: no phone and no address stands there, nor in Redis. */
function place(kind: keyof Noted, of: string, kept_ms: number): NotePlace {
  return { key: hash("sha256", `${kind} ${of}`, "hex").slice(0, 32), kept_ms };
}
