import { randomBytes } from "node:crypto";
import { DEVICE_TTL_MS, DeviceTokens } from "../../../../services/auth/device-tokens";
import { SigningKeys } from "../../../../services/auth/signing-keys";
import { uuidOf } from "../../../support/orders";

const NOW = Date.parse("2026-03-01T10:00:00Z");
const [OLD_SECRET, SECRET] = [randomBytes(32), randomBytes(32)];
const ANNA = { user_id: uuidOf(1), devices_since: null };
const BORIS = { user_id: uuidOf(2), devices_since: null };

let now_ms: number;
const devices = (...secrets: Buffer[]) =>
  new DeviceTokens(new SigningKeys(secrets.length === 0 ? [SECRET] : secrets), { now: () => now_ms });
beforeEach(() => {
  now_ms = NOW;
});

describe("What a device carries", () => {
  it("makes it known to the account that it was given for, and to no other", () => {
    const carried = devices().withNew(undefined, ANNA.user_id);
    expect(devices().known(carried, ANNA)).toMatch(/^[0-9a-f]{24}$/);
    expect(devices().known(carried, BORIS)).toBeUndefined();
    expect(devices().known(carried, undefined)).toBeUndefined();
  });

  it("is another one for each device and each login", () => {
    const [one, other] = [1, 2].map(() => devices().known(devices().withNew(undefined, ANNA.user_id), ANNA));
    expect(one).not.toBe(other);
  });

  it("keeps a shift of eight known at one tablet, the last to come first", () => {
    const shift = Array.from({ length: 9 }, (_, n) => ({ user_id: uuidOf(n + 1), devices_since: null }));
    const carried = shift.reduce<string | undefined>(
      (before, { user_id }) => devices().withNew(before, user_id),
      undefined,
    );
    expect(shift.map((user) => devices().known(carried, user) !== undefined)).toEqual([
      ...[false, ...Array<boolean>(8).fill(true)],
    ]);
    expect(carried).toMatch(/^[\w-]{88}(\.[\w-]{88}){7}$/);
    const again = devices().withNew(carried, uuidOf(5));
    expect(again.split(".")).toHaveLength(8);
    expect(devices().known(again, { user_id: uuidOf(2), devices_since: null })).toBeDefined();
  });

  it("says nothing any more when its time is over", () => {
    const carried = devices().withNew(undefined, ANNA.user_id);
    now_ms = NOW + DEVICE_TTL_MS - 1;
    expect(devices().known(carried, ANNA)).toBeDefined();
    now_ms += 1;
    expect(devices().known(carried, ANNA)).toBeUndefined();
  });

  it("says nothing any more when it was given before the account's devices were forgotten", () => {
    const carried = devices().withNew(undefined, ANNA.user_id);
    expect(devices().known(carried, { ...ANNA, devices_since: new Date(NOW) })).toBeDefined();
    expect(devices().known(carried, { ...ANNA, devices_since: new Date(NOW + 1) })).toBeUndefined();
  });

  it("is known by a key that was replaced, as long as that is trusted", () => {
    const carried = devices(OLD_SECRET).withNew(undefined, ANNA.user_id);
    expect(devices(SECRET, OLD_SECRET).known(carried, ANNA)).toBeDefined();
    expect(devices(SECRET).known(carried, ANNA)).toBeUndefined();
  });

  it("cannot be made by who has no key, nor changed in any of its bytes", () => {
    const carried = devices().withNew(undefined, ANNA.user_id);
    for (const rubbish of ["", "a".repeat(88), carried.slice(0, 87), `${carried}AAAA`])
      expect(devices().known(rubbish, ANNA)).toBeUndefined();
    const bytes = Buffer.from(carried, "base64url");
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      for (const user of [ANNA, BORIS])
        expect(devices().known(changed.toString("base64url"), user)).toBeUndefined();
    }
  });
});
