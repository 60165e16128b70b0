import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { UnavailableError } from "../../mixins/contract/refusal";
import { passwordOf } from "../../mixins/text/forms";

/** Work factor of scrypt: `2^ln · 128 · r` bytes of memory, `p` times over. */
export interface ScryptCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

interface StoredHash {
  readonly cost: ScryptCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 32 MiB, three passes: as hard as OWASP's first choice (128 MiB, one pass), in a quarter of the memory. */
const STRONG: ScryptCost = { ln: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/-]+)\$([\w+/-]+)$/;

/** libuv has four threads, which files and DNS need too: half of them at most are busy with passwords. */
const RUNNING_MAX = 2;
/** About ten seconds of work; who comes later is better served by "try again". */
const WAITING_MAX = 100;

/** Hashes and checks passwords with scrypt, a few at a time, so that a flood of logins starves nobody else. */
export class PasswordHasher {
  readonly #cost: ScryptCost;
  readonly #waiting_max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  /** Compared with when there is no account, so that the answer takes as long. */
  readonly #nobody: string;

  constructor(cost: ScryptCost = STRONG, waiting_max = WAITING_MAX) {
    this.#cost = cost;
    this.#waiting_max = waiting_max;
    this.#nobody = written({ cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) });
  }

  /**
   * A string that holds algorithm, parameters, salt and hash.
   * @throws UnavailableError `auth.busy` when too many wait.
   */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return written({ cost: this.#cost, salt, hash: await this.#derive(password, salt, this.#cost) });
  }

  /**
   * Whether a password fits. Null (no such account, or none set) costs the same and never fits.
   * @throws UnavailableError `auth.busy` when too many wait.
   */
  async verify(password: string, stored: string | null): Promise<boolean> {
    const { cost, salt, hash } = parsed(stored ?? this.#nobody);
    const derived = await this.#derive(password, salt, cost);
    return timingSafeEqual(derived, hash) && stored !== null;
  }

  /** Whether a stored hash was made with other parameters than today's. */
  outdated(stored: string): boolean {
    const { ln, r, p } = parsed(stored).cost;
    return ln !== this.#cost.ln || r !== this.#cost.r || p !== this.#cost.p;
  }

  async #derive(password: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
    if (this.#waiting.length >= this.#waiting_max)
      throw new UnavailableError("auth.busy", "Too many sign-ins at once; try again in a moment.", {
        retry_after_s: 5,
      });
    await this.#enter();
    try {
      return await derive(passwordOf(password), salt, cost);
    } finally {
      this.#leave();
    }
  }

  #enter(): Promise<void> {
    if (this.#running < RUNNING_MAX) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place on to the next in line. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

function derive(password: string, salt: Buffer, { ln, r, p }: ScryptCost): Promise<Buffer> {
  const N = 2 ** ln;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, { N, r, p, maxmem: 256 * N * r + 1_048_576 }, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

const base64 = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

function written({ cost, salt, hash }: StoredHash): string {
  return `$scrypt$ln=${String(cost.ln)},r=${String(cost.r)},p=${String(cost.p)}$${base64(salt)}$${base64(hash)}`;
}

function parsed(stored: string): StoredHash {
  const [, ln, r, p, salt = "", hash = ""] = PHC.exec(stored) ?? [];
  const value = {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
  if (ln === undefined || value.hash.length !== HASH_BYTES)
    throw new Error("A stored password hash is damaged.");
  return value;
}
