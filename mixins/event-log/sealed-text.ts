import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Randomness is fetched for many at once: a call for each would cost more than the sealing. */
const RANDOM_BYTES = 8_192;

let random = Buffer.alloc(0);

function takeRandom(bytes: number): Buffer {
  if (random.length < bytes) random = randomBytes(RANDOM_BYTES);
  const taken = random.subarray(0, bytes);
  random = random.subarray(bytes);
  return taken;
}

/** A key for one stream. */
export function newKey(): Buffer {
  return takeRandom(KEY_BYTES);
}

/**
 * Seals a text with a key; `of` says what it belongs to, and is needed to open it. Base64 of nonce, AES-256-GCM and tag.
 * A `Buffer` for a key would do as well, and takes Node 24 four times as long as the object made of it.
 */
export function sealText(key: Buffer, of: string, text: string): string {
  const nonce = takeRandom(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, createSecretKey(key), nonce).setAAD(Buffer.from(of));
  const sealed = cipher.update(text, "utf8");
  cipher.final();
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString("base64");
}

/** @throws Error when it was not sealed with this key, or belongs to something else. */
export function openText(key: Buffer, of: string, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv(CIPHER, createSecretKey(key), bytes.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(of))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)).toString("utf8") + decipher.final("utf8");
}
