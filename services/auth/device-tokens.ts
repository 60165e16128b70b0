import { randomBytes } from "node:crypto";
import type { Clock } from "../../mixins/runtime";
import type { SigningKeys } from "./signing-keys";
import type { UserRow } from "./users";

/** Whose device it is said to be, which one, and since when. */
interface DeviceClaims {
  readonly user_id: string;
  /** Hex. */
  readonly device_id: string;
  readonly issued_ms: number;
}

const DAY_MS = 86_400_000;
/** How long a device is known that nobody signs in at. */
export const DEVICE_TTL_MS = 180 * DAY_MS;

const PURPOSE = "device token";
const USER_BYTES = 16;
const DEVICE_BYTES = 12;
const TIME_BYTES = 6;
const MAC_BYTES = 32;
const CLAIMS_BYTES = USER_BYTES + DEVICE_BYTES + TIME_BYTES;
/** Accounts that one device is kept known for: a shared tablet knows a shift. */
const ACCOUNTS_MAX = 8;
const SEPARATOR = ".";

/**
 * What a device carries to be known again by the accounts that were signed in to at it: tokens of 88 characters, one an account,
 * with dots between. Each is signed for its account and says nothing else; who steals one has gained a few guesses.
 */
export class DeviceTokens {
  constructor(
    private readonly keys: SigningKeys,
    private readonly clock: Clock,
  ) {}

  /** The device, where its token is one of this account: ours, not expired, and not of before the account's devices were forgotten. */
  known(
    carried: string | undefined,
    user: Pick<UserRow, "user_id" | "devices_since"> | undefined,
  ): string | undefined {
    const claims = this.#read(carried).find(({ user_id }) => user_id === user?.user_id);
    if (claims === undefined || user === undefined) return undefined;
    const forgotten_ms = user.devices_since?.getTime() ?? 0;
    return claims.issued_ms < forgotten_ms ? undefined : claims.device_id;
  }

  /** What the device is to carry from now on: a new token of this account, and those of others that it has. */
  withNew(carried: string | undefined, user_id: string): string {
    const others = this.#read(carried).filter((claims) => claims.user_id !== user_id);
    const device = {
      ...{ user_id, device_id: randomBytes(DEVICE_BYTES).toString("hex"), issued_ms: this.clock.now() },
    };
    return [device, ...others]
      .slice(0, ACCOUNTS_MAX)
      .map((claims) => this.#written(claims))
      .join(SEPARATOR);
  }

  /** The tokens that are ours and not expired. */
  #read(carried: string | undefined): DeviceClaims[] {
    if (carried === undefined) return [];
    const tokens = carried.split(SEPARATOR, ACCOUNTS_MAX);
    return tokens.flatMap((token) => this.#readOne(Buffer.from(token, "base64url")) ?? []);
  }

  #readOne(bytes: Buffer): DeviceClaims | undefined {
    if (bytes.length !== CLAIMS_BYTES + MAC_BYTES) return undefined;
    const claims = bytes.subarray(0, CLAIMS_BYTES);
    const mac = bytes.subarray(CLAIMS_BYTES);
    if (!this.keys.proves(PURPOSE, claims.toString("hex"), mac)) return undefined;
    const issued_ms = claims.readUIntBE(USER_BYTES + DEVICE_BYTES, TIME_BYTES);
    if (issued_ms + DEVICE_TTL_MS <= this.clock.now()) return undefined;
    return {
      user_id: uuidOf(claims.subarray(0, USER_BYTES)),
      device_id: claims.subarray(USER_BYTES, USER_BYTES + DEVICE_BYTES).toString("hex"),
      issued_ms,
    };
  }

  #written({ user_id, device_id, issued_ms }: DeviceClaims): string {
    const time = Buffer.alloc(TIME_BYTES);
    time.writeUIntBE(issued_ms, 0, TIME_BYTES);
    const claims = Buffer.concat([
      ...[Buffer.from(user_id.replaceAll("-", ""), "hex"), Buffer.from(device_id, "hex"), time],
    ]);
    const mac = this.keys.digest(PURPOSE, claims.toString("hex"));
    return Buffer.concat([claims, mac]).toString("base64url");
  }
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
