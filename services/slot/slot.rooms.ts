import type { DayGrid } from "./slot.calendar";

/** Money that is promised for an interval of time. */
export interface LoadedInterval {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly load_minor: number;
}

/** What a slot has of its own, beside the branch's rules. */
export interface SlotSetting {
  /** Null: the branch's rule. */
  readonly capacity_minor: number | null;
  readonly disabled: boolean;
}

/** A part of an order, laid into one slot of the grid. */
export interface Portion {
  /** Index of the slot in its grid. */
  readonly index: number;
  readonly amount_minor: number;
}

const MINUTE_MS = 60_000;
/** The free room of a slot that takes nothing, not even an order of price zero. */
const CLOSED = -Infinity;

/**
 * The free room of every slot of a day, in a tree of maxima: "the first slot from here with room for this" costs
 * O(log slots) however full the day is, and a booking or a release as much. A remembered first free slot would be O(1)
 * for small orders only, and wrong after each release.
 */
export class DayRooms {
  /** Leaves from `width` on; every inner node is the larger of its two children. */
  private readonly tree: Float64Array;
  private readonly width: number;

  private constructor(
    readonly grid: DayGrid,
    rooms: Float64Array,
    /** Capacity of the largest slot of the day, were it empty and enabled. */
    readonly largest_minor: number,
    /** Capacity of the whole day, were it empty and enabled. */
    readonly total_minor: number,
  ) {
    this.width = 2 ** Math.ceil(Math.log2(Math.max(rooms.length, 1)));
    this.tree = new Float64Array(2 * this.width).fill(CLOSED);
    this.tree.set(rooms, this.width);
    for (let node = this.width - 1; node >= 1; node -= 1) this.pull(node);
  }

  /**
   * Capacity less what is promised. Loads need not follow the grid: after a change of the slots' length, an older
   * booking weighs on every slot that it overlaps, by its share of time, rounded up, so that no stretch of time is sold
   * twice.
   */
  static of(
    grid: DayGrid,
    standard_minor: number,
    settingOf: (start_ms: number) => SlotSetting | undefined,
    loads: Iterable<LoadedInterval>,
  ): DayRooms {
    const rooms = new Float64Array(grid.slots.length);
    let largest = 0;
    let total = 0;
    grid.slots.forEach(({ start_ms }, index) => {
      const setting = settingOf(start_ms);
      const capacity = setting?.capacity_minor ?? standard_minor;
      largest = Math.max(largest, capacity);
      total += capacity;
      rooms[index] = setting?.disabled === true ? CLOSED : capacity;
    });
    for (const load of loads) weigh(rooms, grid, load);
    return new DayRooms(grid, rooms, largest, total);
  }

  /** Free room of a slot: negative when its capacity was lowered below its load, -Infinity when it is disabled. */
  roomOf(index: number): number {
    return this.tree[this.width + index] ?? CLOSED;
  }

  /** Takes an amount out of a slot's room; a negative amount gives it back. */
  take(index: number, amount_minor: number): void {
    let node = this.width + index;
    this.tree[node] = this.roomOf(index) - amount_minor;
    for (node >>= 1; node >= 1; node >>= 1) this.pull(node);
  }

  /** First slot within `from … to` whose room holds the amount; undefined when there is none. */
  firstWithRoom(amount_minor: number, from: number, to: number): number | undefined {
    let node = this.width + from;
    while (this.max(node) < amount_minor) {
      // A right child has nothing more to its right below its parent: climb until there is a sibling.
      while (node % 2 === 1) node >>= 1;
      if (node === 0) return undefined;
      node += 1;
    }
    while (node < this.width) node = this.max(2 * node) >= amount_minor ? 2 * node : 2 * node + 1;
    const index = node - this.width;
    return index <= to ? index : undefined;
  }

  /**
   * The earliest run of adjacent slots within `from … to` that holds the amount, each filled with its free room only.
   * A full or disabled slot ends a run. One pass of additions, for orders larger than a slot only.
   */
  firstRun(amount_minor: number, from: number, to: number): readonly Portion[] | undefined {
    let start = from;
    let held = 0;
    for (let index = from; index <= to; index += 1) {
      const room = this.roomOf(index);
      if (room <= 0) {
        start = index + 1;
        held = 0;
      } else {
        held += room;
        if (held >= amount_minor) return this.fill(amount_minor, start);
      }
    }
    return undefined;
  }

  private fill(amount_minor: number, start: number): Portion[] {
    const portions: Portion[] = [];
    for (let left = amount_minor, index = start; left > 0; index += 1) {
      const amount = Math.min(left, this.roomOf(index));
      portions.push({ index, amount_minor: amount });
      left -= amount;
    }
    return portions;
  }

  private max(node: number): number {
    return this.tree[node] ?? CLOSED;
  }

  private pull(node: number): void {
    this.tree[node] = Math.max(this.max(2 * node), this.max(2 * node + 1));
  }
}

function weigh(rooms: Float64Array, grid: DayGrid, load: LoadedInterval): void {
  const first = Math.max(0, Math.floor((load.start_ms - grid.opens_ms) / grid.slot_ms));
  for (let index = first; index < rooms.length; index += 1) {
    const slot_start_ms = grid.opens_ms + index * grid.slot_ms;
    if (slot_start_ms >= load.end_ms) return;
    const overlap_ms =
      Math.min(load.end_ms, slot_start_ms + grid.slot_ms) - Math.max(load.start_ms, slot_start_ms);
    if (overlap_ms > 0) rooms[index] = (rooms[index] ?? CLOSED) - part(load, overlap_ms);
  }
}

/** ceil(load * overlap / length), in steps that stay exact for every safe integer. */
function part({ start_ms, end_ms, load_minor }: LoadedInterval, overlap_ms: number): number {
  const overlap = Math.ceil(overlap_ms / MINUTE_MS);
  const length = Math.max(Math.floor((end_ms - start_ms) / MINUTE_MS), 1);
  const whole = Math.floor(load_minor / length);
  return whole * overlap + Math.ceil(((load_minor % length) * overlap) / length);
}
