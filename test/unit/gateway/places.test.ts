import fc from "fast-check";
import { Places, type Group, type Place, type PlaceLimits } from "../../../services/gateway/places";

const LIMITS: PlaceLimits = {
  ...{
    waiting_max: 4,
    waiting_per_address_max: 2,
    per_address_max: 2,
    per_customer_max: 2,
    per_staff_max: 3,
  },
  group_max: { guests: 3, customers: 3, staff: 4 },
};
const HERE = "192.0.2.1";
const THERE = "192.0.2.2";
const guest = { role: "guest", user_id: null } as const;
const customer = (user_id: string) => ({ role: "customer", user_id }) as const;
const cook = (user_id: string) => ({ role: "cook", user_id }) as const;
const nothing = (): void => undefined;

describe("the places of a gateway", () => {
  it("are each group's own: whoever fills theirs takes nobody else's", () => {
    const places = new Places(LIMITS);
    const seats = ["a", "b", "c", "d"].map((address) => places.seat(address, guest) !== undefined);
    expect(seats).toEqual([true, true, true, false]);
    expect(places.seat("a", customer("anna"))).toBeDefined();
    expect(places.seat("a", cook("ivan"))).toBeDefined();
    expect(places.taken).toEqual({ guests: 3, customers: 1, staff: 1 });
  });

  it("are limited by address for guests and customers, by account for customers and staff", () => {
    const places = new Places(LIMITS);
    const seat = (address: string, who: Parameters<Places["seat"]>[1]) =>
      places.seat(address, who) !== undefined;
    expect([seat(HERE, guest), seat(HERE, guest), seat(HERE, guest), seat(THERE, guest)]).toEqual([
      ...[true, true, false, true],
    ]);
    expect([1, 2, 3].map((no) => seat(HERE, customer(`customer ${no}`)))).toEqual([true, true, false]);
    expect([1, 2, 3, 4].map(() => seat(HERE, cook("ivan")))).toEqual([true, true, true, false]);
    expect(seat(HERE, cook("olga"))).toBe(true);
    const others = new Places(LIMITS);
    expect([1, 2, 3].map((no) => others.seat(`address ${no}`, customer("anna")) !== undefined)).toEqual([
      ...[true, true, false],
    ]);
  });

  it("says who was turned away", () => {
    const refused: Group[] = [];
    const places = new Places(LIMITS, (group) => refused.push(group));
    for (let no = 0; no < 5; no++) places.seat(HERE, cook("ivan"));
    places.seat(HERE, guest);
    expect(refused).toEqual(["staff", "staff"]);
  });

  it("let the oldest of those who wait at an address make way, then the oldest of all", () => {
    const places = new Places(LIMITS);
    const gone: string[] = [];
    const wait = (name: string, address: string) => places.enter(address, () => gone.push(name));
    const first = wait("first", HERE);
    wait("second", HERE);
    wait("third", HERE);
    expect(gone).toEqual(["first"]);
    wait("fourth", THERE);
    wait("fifth", THERE);
    wait("sixth", "192.0.2.3");
    expect(gone).toEqual(["first", "second"]);
    expect(places.waiting).toBe(4);
    expect(first.seat(cook("ivan"))).toBe(false);
    expect(places.taken.staff).toBe(0);
  });

  it("wait no longer who are known, and make way for nobody then", () => {
    const places = new Places(LIMITS);
    const gone: string[] = [];
    const cooks = places.enter(HERE, () => gone.push("cook"));
    expect(cooks.seat(cook("ivan"))).toBe(true);
    for (let no = 0; no < 5; no++) places.enter(HERE, nothing);
    expect(gone).toEqual([]);
    expect(places.taken.staff).toBe(1);
  });

  it("go from one group to another when a guest signs in, and stay where there is no room", () => {
    const places = new Places(LIMITS);
    const place = places.seat(HERE, guest);
    expect(place?.seat(customer("anna"))).toBe(true);
    expect(places.taken).toEqual({ guests: 0, customers: 1, staff: 0 });
    places.seat(THERE, customer("anna"));
    const another = places.seat(HERE, guest);
    expect(another?.seat(customer("anna"))).toBe(false);
    expect(places.taken).toEqual({ guests: 1, customers: 2, staff: 0 });
    expect(place?.seat(customer("anna"))).toBe(true);
  });

  it("are never too many and never lost, whatever happens in whatever order", () => {
    const address = fc.constantFrom("a", "b", "c");
    const who = fc.constantFrom(guest, customer("anna"), customer("bob"), cook("ivan"), cook("olga"));
    const step = fc.record({
      what: fc.constantFrom("enter", "seat", "reseat", "leave"),
      ...{ address, who, which: fc.nat(20) },
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const places = new Places(LIMITS);
        const open: Place[] = [];
        for (const { what, address, who, which } of steps) {
          if (what === "enter") open.push(places.enter(address, nothing));
          if (what === "seat") open.push(...[places.seat(address, who)].filter((one) => one !== undefined));
          if (what === "reseat") open[which]?.seat(who);
          if (what === "leave") open[which]?.leave();
          expect(places.waiting).toBeLessThanOrEqual(LIMITS.waiting_max);
          for (const group of ["guests", "customers", "staff"] as const) {
            expect(places.taken[group]).toBeLessThanOrEqual(LIMITS.group_max[group]);
            expect(places.taken[group]).toBeGreaterThanOrEqual(0);
          }
        }
        for (const place of open) place.leave();
        expect([places.taken, places.waiting]).toEqual([{ guests: 0, customers: 0, staff: 0 }, 0]);
        // All shares are free again, too.
        for (const each of [guest, customer("anna"), cook("ivan")])
          expect([1, 2].map(() => places.seat("a", each) !== undefined)).toEqual([true, true]);
      }),
    );
  });
});
