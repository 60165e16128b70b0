import type { Caller } from "../../mixins/contract/caller";
import type { Settings } from "../../settings";
import { PlacePool, type Share } from "./place-pool";

/** Who shares the places of a gateway; nobody takes a place of another group. */
export type Group = "guests" | "customers" | "staff";

/** How many may be there at a time. */
export interface PlaceLimits {
  /** Of whom nobody knows yet who they are, in all and from one address; the oldest of them makes way. */
  readonly waiting_max: number;
  readonly waiting_per_address_max: number;
  readonly group_max: Readonly<Record<Group, number>>;
  /** Guests behind one address, and customers behind one address. Staff is not counted by address. */
  readonly per_address_max: number;
  /** Of one customer's account. */
  readonly per_customer_max: number;
  /** Of one account of staff: a branch's tablets, or a program that watches everything. */
  readonly per_staff_max: number;
}

/** The limits that the settings say. */
export function placeLimits(settings: Settings): PlaceLimits {
  return {
    waiting_max: 1_000,
    waiting_per_address_max: 128,
    group_max: {
      guests: settings.SOCKET_GUESTS_MAX,
      customers: settings.SOCKET_CUSTOMERS_MAX,
      staff: settings.SOCKET_STAFF_MAX,
    },
    per_address_max: settings.SOCKET_ADDRESS_MAX,
    per_customer_max: settings.SOCKET_ACCOUNT_MAX,
    per_staff_max: 1_024,
  };
}

type Who = Pick<Caller, "role" | "user_id">;
type Release = () => void;

/** Which group somebody belongs to. */
function groupOf({ role }: Who): Group {
  if (role === "guest") return "guests";
  return role === "customer" ? "customers" : "staff";
}

/** A connection's (or stream's) place: *waiting* to be known → *seated* among its group → *left*. */
export class Place {
  #release: Release | undefined;
  #seat = "";
  #left = false;

  constructor(
    private readonly take: (who: Who) => Release | undefined,
    private readonly known: (place: Place) => void,
  ) {}

  /**
   * Seats it as this caller, whatever it was before; false where that group has no room for one more, or the place was left:
   * then it stays what it was. Asks and takes in one go, so no two can take the last place.
   */
  seat(who: Who): boolean {
    if (this.#left) return false;
    const seat = `${groupOf(who)} ${who.user_id ?? ""}`;
    if (seat === this.#seat) return true;
    const release = this.take(who);
    if (release === undefined) return false;
    this.known(this);
    this.#release?.();
    this.#release = release;
    this.#seat = seat;
    return true;
  }

  /** Gives the place back, once. */
  leave(): void {
    this.#left = true;
    this.known(this);
    this.#release?.();
    this.#release = undefined;
  }
}

interface Waiting {
  readonly address: string;
  readonly makeWay: () => void;
}

/**
 * The places of one gateway of this node. What guests take up is never missing for staff: each group has its own, and a
 * caller counts in one only once their token was verified. Until then a connection waits, and of those who wait the oldest
 * makes way for the newest, so that nobody can hold the entrance by knocking at it.
 */
export class Places {
  readonly #pools: Readonly<Record<Group, PlacePool>>;
  /** From the oldest to the newest; in all, and by address. */
  readonly #waiting = new Map<Place, Waiting>();
  readonly #waitingAt = new Map<string, Set<Place>>();

  constructor(
    readonly limits: PlaceLimits,
    private readonly refused: (group: Group) => void = () => undefined,
  ) {
    const { guests, customers, staff } = limits.group_max;
    this.#pools = {
      ...{ guests: new PlacePool(guests), customers: new PlacePool(customers), staff: new PlacePool(staff) },
    };
  }

  /** How many are there of each group. */
  get taken(): Readonly<Record<Group, number>> {
    const { guests, customers, staff } = this.#pools;
    return { guests: guests.taken, customers: customers.taken, staff: staff.taken };
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Lets somebody wait who is yet to say who they are.
   * @param address what a client is counted by; see `addressKey`.
   * @param makeWay ends the connection, when it has waited longest and others want to come in.
   */
  enter(address: string, makeWay: () => void): Place {
    const place = this.#placeAt(address);
    const { waiting_max, waiting_per_address_max } = this.limits;
    const here = this.#waitingAt.get(address);
    if (here !== undefined && here.size >= waiting_per_address_max) this.#sendAway(here);
    else if (this.#waiting.size >= waiting_max) this.#sendAway(this.#waiting.keys());
    this.#waiting.set(place, { address, makeWay });
    const neighbours = this.#waitingAt.get(address);
    if (neighbours === undefined) this.#waitingAt.set(address, new Set([place]));
    else neighbours.add(place);
    return place;
  }

  /** Seats somebody who is known already; undefined where there is no room. */
  seat(address: string, who: Who): Place | undefined {
    const place = this.#placeAt(address);
    return place.seat(who) ? place : undefined;
  }

  #placeAt(address: string): Place {
    return new Place(
      (who) => this.#take(address, who),
      (place) => this.#waitsNoMore(place),
    );
  }

  #sendAway(oldestFirst: Iterable<Place>): void {
    const [oldest] = oldestFirst;
    const makeWay = oldest && this.#waiting.get(oldest)?.makeWay;
    oldest?.leave();
    makeWay?.();
  }

  #waitsNoMore(place: Place): void {
    const address = this.#waiting.get(place)?.address;
    if (address === undefined) return;
    this.#waiting.delete(place);
    const here = this.#waitingAt.get(address);
    here?.delete(place);
    if (here?.size === 0) this.#waitingAt.delete(address);
  }

  #take(address: string, who: Who): Release | undefined {
    const group = groupOf(who);
    const release = this.#pools[group].take(this.#sharesOf(group, address, who.user_id ?? ""));
    if (release === undefined) this.refused(group);
    return release;
  }

  #sharesOf(group: Group, address: string, user_id: string): readonly Share[] {
    const { per_address_max, per_customer_max, per_staff_max } = this.limits;
    switch (group) {
      case "guests":
        return [{ key: address, max: per_address_max }];
      case "customers":
        return [
          { key: `at ${address}`, max: per_address_max },
          { key: `of ${user_id}`, max: per_customer_max },
        ];
      case "staff":
        return [{ key: user_id, max: per_staff_max }];
    }
  }
}
