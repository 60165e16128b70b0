import type { Role } from "../../../mixins/contract/caller";
import { bucketOf, type LimitedCall } from "../../../services/gateway/call-limits";

const LIMITS = {
  ...{ GUEST_WRITES_PER_MINUTE: 10, CUSTOMER_WRITES_PER_MINUTE: 20, STAFF_WRITES_PER_MINUTE: 30 },
};
const write = { name: "thing.do", kind: "command" } as const;
const read = { name: "thing.look", kind: "query" } as const;
const by = (role: Role, contract: LimitedCall["contract"], more: Partial<LimitedCall> = {}) =>
  bucketOf(
    { contract, caller: { role, user_id: role === "guest" ? null : "u1" }, address: "192.0.2.1", ...more },
    LIMITS,
  );

describe("what a call is counted in", () => {
  it.each<[Role, string, number]>([
    ["guest", "192.0.2.1", 10],
    ["customer", "u1", 20],
    ["cook", "u1", 30],
    ["courier", "u1", 30],
    ["technologist", "u1", 30],
    ["manager", "u1", 30],
    ["super_admin", "u1", 30],
  ])("writes of a %s: all together by %s, %i a minute", (role, who, per_minute) => {
    expect(by(role, write)).toEqual({ key: `writes ${who}`, per_minute });
    expect(by(role, { ...write, name: "other.do" })).toEqual({ key: `writes ${who}`, per_minute });
    expect(by(role, read)).toBeUndefined();
  });

  it("an operation with a rate of its own: by itself, for whoever it is, be it a read", () => {
    expect(by("guest", { ...write, rate_per_minute: 3 })).toEqual({
      key: "thing.do 192.0.2.1",
      per_minute: 3,
    });
    expect(by("manager", { ...read, rate_per_minute: 3 })).toEqual({ key: "thing.look u1", per_minute: 3 });
  });

  it("a machine's call whose key has proved nothing: as a guest's write, whatever it is", () => {
    const contract = { ...read, rate_per_minute: 600 };
    expect(by("guest", contract, { trusted: false })).toEqual({ key: "writes 192.0.2.1", per_minute: 10 });
    expect(by("guest", contract, { trusted: true })).toMatchObject({ per_minute: 600 });
  });

  it("Forno's own: in nothing", () => {
    expect(by("system", { ...write, rate_per_minute: 1 })).toBeUndefined();
  });

  it("nothing, where the setting is 0", () => {
    expect(
      bucketOf(
        { contract: write, caller: { role: "cook", user_id: "u1" }, address: "" },
        { ...LIMITS, STAFF_WRITES_PER_MINUTE: 0 },
      ),
    ).toBeUndefined();
  });
});
