import { hash, randomUUID } from "node:crypto";
import type { Caller } from "../../mixins/contract/caller";
import type { ActionContract } from "../../mixins/contract/contract";
import { RefusedError, refuse } from "../../mixins/contract/refusal";

/** A guest's secret: a random UUID, 128 random bits in base64url, or what else a client makes up that nobody guesses. */
export const GUEST_TOKEN = /^[A-Za-z0-9_-]{22,128}$/;

/** Something that a request carries and others do not have. */
export interface Carried {
  /** The token that a client sends by itself, in a header or metadata. */
  readonly guest_token?: string | undefined;
  /** The one that a browser keeps as a cookie. */
  readonly guest_cookie?: string | undefined;
  readonly cart_token?: string | undefined;
  readonly api_key?: string | undefined;
}

/** Whose an Idempotency-Key is. */
export interface KeyHolder {
  /** Never the same for two people. */
  readonly name: string;
  /** The client is to carry this from now on, or its repetitions are not known as such. */
  readonly new_guest_token?: string;
}

/** UUIDs that are mostly random, of version 4 or 7 (RFC 9562). */
const RANDOM_UUID = /^[\da-f]{8}-[\da-f]{4}-[47][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i;
/** Kinds of hex digits in one. Made by a machine, one in a million has fewer; typed by hand, most. */
const KINDS_MIN = 7;
/** Examples of widely read documents: whoever copies one shares it. */
const COPIED: ReadonlySet<string> = new Set([
  "550e8400-e29b-41d4-a716-446655440000",
  "f47ac10b-58cc-4372-a567-0e02b2c3d479",
  "8e03978e-40d5-43dd-bc93-6894a57f9324",
  "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d",
  "919108f7-52d1-4320-9bac-f847db4148a8",
  "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
]);

/** Whether nobody else can have made up this key: then it needs no other secret beside it. */
export function isSecretKey(key: string): boolean {
  return RANDOM_UUID.test(key) && kindsOfDigits(key) >= KINDS_MIN && !COPIED.has(key.toLowerCase());
}

/** The lowest five bits tell hex digits apart, in either case, and from the dashes (a Set took ten times as long). */
function kindsOfDigits(uuid: string): number {
  let seen = 0;
  for (let i = 0; i < uuid.length; i++) seen |= 1 << (uuid.charCodeAt(i) & 31);
  let kinds = -1;
  for (; seen !== 0; seen &= seen - 1) kinds += 1;
  return kinds;
}

/**
 * Whose a key is. Of who is signed in, the account's. Guests have no name, so a guest's key belongs to something that only this
 * guest holds: what the client says of itself; the key itself, where it is a random UUID; a cookie, the cart, a machine's
 * key; and where there is nothing of all this, a new token, which the answer brings.
 *
 * What is sent again unchanged must have the same holder. Cookies come and go between two attempts, so they count only for
 * keys that are no secrets. A first attempt without anything has no second: two strangers look the same as one who repeats.
 */
export function keyHolder(
  key: string,
  { user_id }: Pick<Caller, "user_id">,
  contract: Pick<ActionContract, "cart_token">,
  carried: Carried,
): KeyHolder {
  if (user_id !== null) return { name: user_id };
  const { guest_token, guest_cookie, cart_token, api_key } = carried;
  if (guest_token !== undefined) return { name: `guest ${guest_token}` };
  if (isSecretKey(key)) return { name: "whoever knows the key" };
  if (api_key !== undefined) return { name: `machine ${hash("sha256", api_key)}` };
  if (guest_cookie !== undefined) return { name: `guest ${guest_cookie}` };
  if (cart_token !== undefined) return { name: `cart ${cart_token}` };
  const fresh = randomUUID();
  // A guest's first request to a cart is answered with the cart's own token.
  if (contract.cart_token === true) return { name: `guest ${fresh}` };
  return { name: `guest ${fresh}`, new_guest_token: fresh };
}

/** A token that a client sends, as it came. @throws RefusedError `guest.bad_token` */
export function guestTokenOf(sent: string | string[] | undefined): string | undefined {
  if (sent === undefined || (typeof sent === "string" && GUEST_TOKEN.test(sent))) return sent;
  throw new RefusedError(
    refuse(
      "invalid",
      "guest.bad_token",
      "A guest's token is 22 to 128 letters, digits, - and _ that nobody guesses, e.g. a UUID; or leave it out.",
    ),
  );
}
