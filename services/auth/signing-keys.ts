import {
  createHash,
  createHmac,
  createSecretKey,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { privateFolder } from "../../mixins/private-folder";
import type { Settings } from "../../settings";

/** One secret that signs and verifies tokens (HS256); `kid` names it in a token's header. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** A generated secret as the file keeps it. */
export interface KeptSecret {
  /** Base64url, 256 bits. */
  readonly secret: string;
  /** RFC 3339, UTC. */
  readonly created_at: string;
}

const FILE = "signing-keys.json";
const SECRET_BYTES = 32;
const GIVEN_SECRET_CHARS_MIN = 32;
const DAY_MS = 86_400_000;
/** A generated secret signs for so long; the next start after that makes a new one. */
const SIGNS_DAYS = 90;
/** A replaced secret still verifies for so long: longer than any access token lives. */
const VERIFIES_DAYS = 1;

/** The secrets that this node trusts: the first signs, all verify. */
export class SigningKeys {
  readonly current: SigningKey;
  readonly #by_kid: ReadonlyMap<string, SigningKey>;

  /** @param secrets newest first; at least one. */
  constructor(secrets: readonly Buffer[]) {
    const keys = secrets.map((secret) => ({ kid: kidOf(secret), key: createSecretKey(secret) }));
    const [current] = keys;
    if (current === undefined) throw new Error("There is no signing key.");
    this.current = current;
    this.#by_kid = new Map(keys.map((key) => [key.kid, key]));
  }

  /** The key that a token's header names. */
  find(kid: string | undefined): SigningKey | undefined {
    return kid === undefined ? undefined : this.#by_kid.get(kid);
  }

  /** A keyed hash for one purpose, so that no secret serves two. */
  digest(purpose: string, text: string): Buffer {
    return digestBy(this.current, purpose, text);
  }

  /** Whether a digest was made of this text, for this purpose, with a key that is still trusted. */
  proves(purpose: string, text: string, digest: Buffer): boolean {
    return [...this.#by_kid.values()].some((key) => {
      const made = digestBy(key, purpose, text);
      return digest.length === made.length && timingSafeEqual(digest, made);
    });
  }
}

function digestBy(signing: SigningKey, purpose: string, text: string): Buffer {
  const key = createHmac("sha256", signing.key).update(`forno ${purpose}`).digest();
  return createHmac("sha256", key).update(text).digest();
}

/**
 * The signing keys of this node. From `JWT_SECRET`: one secret, or several with commas between, newest first (each at
 * least 32 characters). Else generated ones from a file in `DATA_DIR` that only its owner can read, replaced every 90 days.
 */
export function loadSigningKeys(
  settings: Pick<Settings, "JWT_SECRET" | "DATA_DIR" | "DATABASE_URL">,
  now_ms: number,
): SigningKeys {
  if (settings.JWT_SECRET !== undefined) return new SigningKeys(givenSecrets(settings.JWT_SECRET));
  const file = path.join(settings.DATA_DIR, FILE);
  // With an embedded database the folder is closed already, to all but its server.
  if (settings.DATABASE_URL !== undefined) privateFolder(settings.DATA_DIR);
  else mkdirSync(settings.DATA_DIR, { recursive: true, mode: 0o700 });
  const kept = readSecrets(file) ?? founded(file, rotated([], now_ms));
  const wanted = rotated(kept, now_ms);
  if (wanted !== kept) write(file, wanted, renameSync);
  return new SigningKeys(wanted.map(({ secret }) => Buffer.from(secret, "base64url")));
}

/** A text with commas is a list only if every part could be a secret by itself. */
function givenSecrets(text: string): Buffer[] {
  const parts = text.split(",");
  const list = parts.every((part) => part.length >= GIVEN_SECRET_CHARS_MIN) ? parts : [text];
  return list.map((part) => Buffer.from(part, "utf8"));
}

/** The secrets as they should be now, newest first; the same array when nothing is due. */
export function rotated(kept: readonly KeptSecret[], now_ms: number): readonly KeptSecret[] {
  const age_days = ({ created_at }: KeptSecret): number => (now_ms - Date.parse(created_at)) / DAY_MS;
  const [newest] = kept;
  if (newest === undefined || age_days(newest) >= SIGNS_DAYS) {
    const fresh = {
      secret: randomBytes(SECRET_BYTES).toString("base64url"),
      created_at: new Date(now_ms).toISOString(),
    };
    return newest === undefined ? [fresh] : [fresh, newest];
  }
  return kept.length > 1 && age_days(newest) > VERIFIES_DAYS ? [newest] : kept;
}

function kidOf(secret: Buffer): string {
  return createHash("sha256").update("forno kid").update(secret).digest("hex").slice(0, 16);
}

function readSecrets(file: string): readonly KeptSecret[] | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  chmodSync(file, 0o600);
  const secrets: unknown = parsedJson(text);
  if (Array.isArray(secrets) && secrets.length > 0 && secrets.every(isKeptSecret)) return secrets;
  throw new Error(`${file} is damaged. Delete it to have a new one made; everybody must then sign in again.`);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Half a file is damaged like any other; the caller says so, without quoting a secret.
    return undefined;
  }
}

function isKeptSecret(value: unknown): value is KeptSecret {
  const { secret, created_at } = (value ?? {}) as Partial<Record<keyof KeptSecret, unknown>>;
  return (
    typeof secret === "string" &&
    Buffer.from(secret, "base64url").length >= SECRET_BYTES &&
    typeof created_at === "string" &&
    !Number.isNaN(Date.parse(created_at))
  );
}

/** Creates the file, unless another node on the same directory was faster: then its secrets are everybody's. */
function founded(file: string, secrets: readonly KeptSecret[]): readonly KeptSecret[] {
  try {
    write(file, secrets, linkSync);
    return secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return readSecrets(file) ?? secrets;
  }
}

/** Whole or not at all, and never readable by others. */
function write(
  file: string,
  secrets: readonly KeptSecret[],
  publish: (from: string, to: string) => void,
): void {
  const draft = `${file}.${String(process.pid)}`;
  const handle = openSync(draft, "w", 0o600);
  try {
    writeSync(handle, `${JSON.stringify(secrets, null, 2)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    publish(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
