import fc from "fast-check";
import { clockProbe } from "../../../mixins/clock/clock-probe";
import { DatabaseClock } from "../../../mixins/clock/database-clock";

const NOON = Date.parse("2026-03-10T12:00:00.000Z");
const DAY_MS = 86_400_000;

/** A database and a node's clock that differ, and a clock that only runs. */
class World {
  mono = 1_000;
  database_ahead_ms = 0;
  readonly clock: DatabaseClock;

  constructor(public own_ahead_ms = 0) {
    this.clock = new DatabaseClock({ now: () => NOON + this.mono + this.own_ahead_ms }, () => this.mono);
  }

  get database(): number {
    return NOON + this.mono + this.database_ahead_ms;
  }

  /** The database answers in the middle of the time that the question takes, unless told otherwise. */
  ask(took_ms = 2, answered_after_ms = took_ms / 2): void {
    const asked_mono = this.mono;
    this.mono += answered_after_ms;
    const database_ms = this.database;
    this.mono += took_ms - answered_after_ms;
    this.clock.take({ asked_mono, answered_mono: this.mono, database_ms });
  }
}

describe("the database's clock on a node", () => {
  it.each([-DAY_MS, DAY_MS, 0])("shows the database's time where the node is %d ms ahead", (ahead_ms) => {
    const world = new World(ahead_ms);
    expect(world.clock.now()).toBe(NOON + 1_000 + ahead_ms);
    world.ask();
    expect(world.clock.now()).toBe(world.database);
    world.mono += 3_600_000;
    expect(world.clock.now()).toBe(world.database);
    expect(world.clock.reading).toMatchObject({ offset_ms: ahead_ms, uncertain_ms: 1, ahead_ms: 0 });
  });

  it("does not move when the node's own clock is set", () => {
    const world = new World();
    world.ask();
    world.own_ahead_ms = -DAY_MS;
    expect(world.clock.now()).toBe(world.database);
    world.ask();
    expect(world.clock.now()).toBe(world.database);
    expect(world.clock.reading?.offset_ms).toBe(-DAY_MS);
  });

  it("takes no difference for one that the question itself may have made", () => {
    const world = new World();
    world.ask();
    world.ask(400, 390);
    expect(world.clock.now()).toBe(world.database);
  });

  it("waits at half the pace for a database whose clock was set back, and never goes back itself", () => {
    const world = new World();
    world.ask();
    world.database_ahead_ms = -10_000;
    const before = world.clock.now();
    world.ask(0);
    expect(world.clock.now()).toBe(before);
    expect(world.clock.reading?.ahead_ms).toBe(10_000);
    world.mono += 10_000;
    expect(world.clock.now() - before).toBe(5_000);
    world.mono += 10_000;
    expect(world.clock.now()).toBe(world.database);
    world.mono += 10_000;
    expect(world.clock.now()).toBe(world.database);
  });

  it("jumps to where a machine that slept would have been, and goes faster for a small difference", () => {
    const world = new World();
    world.ask();
    world.database_ahead_ms = 3_600_000;
    world.ask(0);
    expect(world.clock.now()).toBe(world.database);
    world.database_ahead_ms += 1_000;
    world.ask(0);
    expect(world.clock.now()).toBe(world.database - 1_000);
    world.mono += 1_000;
    expect(world.clock.now()).toBe(world.database - 500);
    world.mono += 1_000;
    expect(world.clock.now()).toBe(world.database);
  });

  it("never goes back and comes to the database's time, whatever the clocks do", () => {
    const step = fc.record({
      passes_ms: fc.nat(5_000),
      database_set_ms: fc.oneof(fc.constant(0), fc.integer({ min: -20_000, max: 20_000 })),
      own_set_ms: fc.oneof(fc.constant(0), fc.integer({ min: -DAY_MS, max: DAY_MS })),
      took_ms: fc.nat(300),
      answered: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = new World();
        world.ask(0);
        let shown = world.clock.now();
        const look = (): void => {
          const now = world.clock.now();
          expect(now).toBeGreaterThanOrEqual(shown);
          shown = now;
        };
        for (const { passes_ms, database_set_ms, own_set_ms, took_ms, answered } of steps) {
          world.mono += passes_ms;
          world.database_ahead_ms += database_set_ms;
          world.own_ahead_ms += own_set_ms;
          look();
          world.ask(took_ms, took_ms * answered);
          look();
        }
        world.ask(0);
        world.mono += 3_600_000;
        look();
        expect(Math.abs(world.clock.now() - world.database)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("health of the clock", () => {
  async function found(world: World): Promise<Record<string, unknown>> {
    return { ...(await clockProbe(world.clock).probe()) };
  }

  it("is off before the database was asked, and up within two seconds", async () => {
    const world = new World(2_000);
    expect(await found(world)).toEqual({ status: "off" });
    world.ask();
    expect(await found(world)).toEqual({ status: "up", offset_ms: 2_000, ahead_ms: 0, uncertain_ms: 1 });
  });

  it.each([
    [
      -DAY_MS,
      "This node's clock is 86400.0 s behind the database's, by whose time it decides: set one of them (NTP).",
    ],
    [
      2_100,
      "This node's clock is 2.1 s ahead of the database's, by whose time it decides: set one of them (NTP).",
    ],
  ])("is degraded at %d ms, and says which way", async (offset_ms, detail) => {
    const world = new World(offset_ms);
    world.ask();
    expect(await found(world)).toMatchObject({ status: "degraded", offset_ms, detail });
  });

  it("does not call wrong what a slow answer may have made", async () => {
    const world = new World(2_100);
    world.ask(400);
    expect(await found(world)).toMatchObject({ status: "up" });
  });

  it("says when the database's clock was set back, until it is reached again", async () => {
    const world = new World();
    world.ask();
    world.database_ahead_ms = world.own_ahead_ms = -10_000;
    world.ask(0);
    expect(await found(world)).toMatchObject({
      status: "degraded",
      offset_ms: 0,
      detail:
        "The database's clock was set back; this node is 10.0 s ahead of it and waits at half the pace.",
    });
    world.mono += 20_000;
    expect(await found(world)).toMatchObject({ status: "up", ahead_ms: 0 });
  });
});
