import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { ReadRows } from "./log-readers";

/** A stream's key as the database has it; undefined: the stream never had one. */
export type KeptKey = Buffer | "erased" | undefined;

/** $1 stream ids, joined with U+001E. */
const KEYS_OF = {
  name: "es_keys_of",
  text: `select stream_id, key from es.data_key where stream_id = any (string_to_array($1, e'\\x1e'))`,
};

const PHONE_SECRET = {
  name: "es_phone_secret",
  text: "select secret from es.secret where name = 'phone digest'",
};

/** The keys of streams as they are now. Those that never had one are missing. */
export async function keysOf(
  read: ReadRows,
  stream_ids: readonly string[],
): Promise<ReadonlyMap<string, KeptKey>> {
  type Row = { readonly stream_id: string; readonly key: Buffer | null };
  const rows = await read<Row>(KEYS_OF, [stream_ids.join("\u001e")]);
  return new Map(rows.map(({ stream_id, key }) => [stream_id, key ?? "erased"]));
}

/** What phone numbers are hashed with, in this chain. */
export async function phoneSecret(read: ReadRows): Promise<KeyObject> {
  const [row] = await read<{ readonly secret: Buffer }>(PHONE_SECRET, []);
  if (row === undefined) throw new Error("es.secret does not hold the secret of phone digests.");
  return createSecretKey(row.secret);
}

/**
 * What a key is filed under in place of a phone number: a keyed hash of 128 bits, in hex. Who sees nothing but the keys
 * cannot tell whose they are.
 */
export function digestOf(secret: KeyObject, phone: string): string {
  return createHmac("sha256", secret).update(phone).digest("hex").slice(0, 32);
}
