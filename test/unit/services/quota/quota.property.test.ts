import * as fc from "fast-check";
import type { Pool } from "pg";
import type { CommandIdentity, Ctx } from "../../../../mixins/contract/caller";
import { replayOf, type CommandOutcome } from "../../../../mixins/contract/implement";
import {
  isRefusal,
  refuse,
  RefusedError,
  UnavailableError,
  type Refusal,
} from "../../../../mixins/contract/refusal";
import type { AppendOutcome, AppendUnit } from "../../../../mixins/event-log/event-log";
import type { Runtime } from "../../../../mixins/runtime";
import type { Quote } from "../../../../services/menu/menu.contract";
import type { OrderHold } from "../../../../services/order/order.events";
import { OrderOffers } from "../../../../services/order/order.offers";
import { confirmHold, holdCommand, returnHold } from "../../../../services/quota/quota.contract";
import { Quota, quotaDecider, type QuotaCommand } from "../../../../services/quota/quota.decider";
import { sweepHolds } from "../../../../services/quota/quota.sweep";
import { QuietLogger } from "../../../support/quiet-logger";
import { uuidOf } from "../../../support/orders";

/** What may become of a message: it is done; done and the answer lost; or not done until much later, if ever. */
type Luck = "well" | "answer lost" | "late";

const QUOTA = uuidOf(1, "f");
const KINDS = ["sale", "promo"] as const;
const FULL = refuse("unprocessable", "slot.full", "No slot.");
const LOST = new UnavailableError("service.unavailable", "No answer.");
const logger = new QuietLogger();

interface Story {
  readonly units: number;
  /** One attempt or several of the same command, side by side. */
  readonly attempts: readonly Attempt[];
  readonly cancels: boolean;
}

interface Attempt {
  /** Of its messages in turn. */
  readonly lucks: readonly Luck[];
  /** The kitchen has no slot for this attempt; it may have one for another. */
  readonly full: boolean;
}

/** A log, a quota and a kitchen in memory, whose messages a scheduler delivers in any order. */
class World {
  readonly state = new Quota();
  readonly holds = new Map<string, { readonly placing: CommandIdentity; confirmed: boolean }>();
  readonly orders = new Map<string, { readonly holds: readonly OrderHold[]; cancelled: boolean }>();
  readonly #answers = new Map<string, { readonly fingerprint: string; readonly answer: unknown }>();
  #orders = 0;

  constructor(
    private readonly scheduler: fc.Scheduler,
    private readonly kind: (typeof KINDS)[number],
    private readonly limit: number,
  ) {}

  /** As the log does it: a command is answered once, whoever comes first. */
  async append({ commands }: Pick<AppendUnit, "commands">): Promise<AppendOutcome> {
    await this.#someTime("settle");
    const [{ id, fingerprint, answer }] = commands as [AppendUnit["commands"][number]];
    const known = this.#answers.get(id);
    if (known !== undefined) return { status: "duplicate", answers: [{ id, ...known, position: 1 }] };
    this.#answers.set(id, { fingerprint, answer });
    return { status: "committed", position: 1 };
  }

  /** The quota's actor: decides, and is told by the log when the command was done before. */
  tell(command: QuotaCommand, { id, fingerprint }: CommandIdentity): Refusal | undefined {
    const given = { kind: this.kind, open: true, limit_total: this.limit };
    const terms = { ...given, limit_per_user: null, first_order_only: false };
    const decided = quotaDecider.decide(command, this.state, { quota_id: QUOTA, terms });
    if (isRefusal(decided)) return decided;
    if (decided.events.length === 0 || this.#answers.has(id)) return undefined;
    this.#answers.set(id, { fingerprint, answer: decided.answer });
    for (const event of decided.events) quotaDecider.evolve(this.state, event);
    expect(this.state.used).toBeLessThanOrEqual(this.limit);
    if (command.type === "quota.take")
      this.holds.set(command.hold_id, { placing: command.placing, confirmed: false });
    else if (command.type === "quota.confirm") this.holds.get(command.hold_id)!.confirmed = true;
    else this.holds.delete(command.hold_id);
    return undefined;
  }

  /** The kitchen-day: an order, or a refusal that leaves no trace. */
  place(identity: CommandIdentity, holds: readonly OrderHold[], full: boolean): CommandOutcome | Refusal {
    const known = this.#answers.get(identity.id);
    if (known !== undefined) return replayOf(identity, { ...known, position: 1 });
    if (full) return FULL;
    // Nobody may order with what was given back.
    for (const { hold_id } of holds) expect(this.holds.has(hold_id)).toBe(true);
    const order_id = uuidOf((this.#orders += 1));
    this.orders.set(order_id, { holds, cancelled: false });
    const answer = { order_id, holds };
    this.#answers.set(identity.id, { fingerprint: identity.fingerprint, answer });
    return { answer, position: 1, replayed: false };
  }

  /** A message to somewhere else, and its luck. */
  async message<T>(luck: Luck, label: string, done: () => T): Promise<T> {
    if (luck === "late") {
      void this.#someTime(`late ${label}`).then(done);
      await this.#someTime(`silence after ${label}`);
      throw LOST;
    }
    await this.#someTime(label);
    const result = done();
    await this.#someTime(`answer to ${label}`);
    if (luck === "answer lost") throw LOST;
    return result;
  }

  async sweep(): Promise<void> {
    const open = [...this.holds].filter(([, { confirmed }]) => !confirmed);
    const rows = open.map(([hold_id, { placing }]) => ({
      ...{ hold_id, quota_id: QUOTA, command_id: placing.id, fingerprint: placing.fingerprint },
    }));
    const pages = [rows, []];
    await sweepHolds({
      pool: { query: () => Promise.resolve({ rows: pages.shift() ?? [] }) } as unknown as Pool,
      log: this,
      clock: { now: () => 0 },
      logger,
      confirm: (_, hold_id, order_id) =>
        this.message("well", "confirm", () =>
          this.tell({ type: "quota.confirm", hold_id, order_id }, holdCommand(confirmHold, hold_id)),
        ),
      giveBack: (_, hold_id) =>
        this.message("well", "give back", () =>
          this.tell(
            { type: "quota.return", hold_id, reason: "not_placed", at: "" },
            holdCommand(returnHold, hold_id),
          ),
        ),
    });
  }

  async cancel(order_id: string): Promise<void> {
    const order = this.orders.get(order_id)!;
    await this.#someTime("cancel");
    order.cancelled = true;
    for (const { hold_id } of order.holds)
      await this.message("well", "return", () =>
        this.tell(
          { type: "quota.return", hold_id, reason: "cancelled", at: "" },
          { id: `${hold_id} cancelled`, fingerprint: "" },
        ),
      );
  }

  #someTime(label: string): Promise<unknown> {
    return this.scheduler.schedule(Promise.resolve(), label);
  }
}

/** One node's attempt to place the order, by the product's own code. */
async function attempt(world: World, number: number, story: Story, { lucks, full }: Attempt): Promise<void> {
  const identity = { id: uuidOf(number, "d"), fingerprint: "same" };
  const turns = [...lucks];
  const luck = (): Luck => turns.shift() ?? "well";
  const call = async (name: string, params: object, { meta }: { meta: { command: CommandIdentity } }) => {
    const type = name as QuotaCommand["type"];
    const refused = await world.message(luck(), name, () =>
      world.tell({ ...params, type, at: "" } as QuotaCommand, meta.command),
    );
    if (refused !== undefined) throw new RefusedError(refused);
    return { position: 1 };
  };
  const runtime = { broker: { call }, log: world } as unknown as Pick<Runtime, "broker" | "log">;
  const ctx = { meta: { command: identity } } as unknown as Ctx<unknown>;
  const offers = new OrderOffers({ runtime, logger, hasOrdered: () => Promise.resolve(false) }, ctx, null);
  const quoteFor = (units: number): Quote =>
    ({
      limited: units === 0 ? [] : [{ kind: world["kind"], offer_id: QUOTA, units, first_order_only: false }],
    }) as unknown as Quote;
  // A line of one unit and one of the others: what is left may do for one of them.
  const requote = (remaining: Readonly<Record<string, number>>): Promise<Quote> =>
    Promise.resolve(quoteFor((remaining[QUOTA] ?? 0) >= 1 ? 1 : 0));
  const outcome = await offers
    .orGiveBack(async () => {
      const quote = await offers.take(quoteFor(story.units), requote);
      if (isRefusal(quote)) return quote;
      return world.message(luck(), "place", () => world.place(identity, offers.holdsOf(quote), full));
    })
    .catch((error: unknown) => {
      // The node is dead, or says 503: nothing more is heard of this attempt.
      if (!(error instanceof UnavailableError)) throw error;
      return undefined;
    });
  if (outcome === undefined || isRefusal(outcome) || !story.cancels) return;
  await world.cancel((outcome.answer as { order_id: string }).order_id);
}

const lucks = fc.array(fc.constantFrom<Luck>("well", "well", "answer lost", "late"), { maxLength: 4 });
const stories = fc.array(
  fc.record({
    units: fc.integer({ min: 1, max: 3 }),
    attempts: fc.array(fc.record({ lucks, full: fc.boolean() }), { minLength: 1, maxLength: 3 }),
    cancels: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);

it("whatever is lost, late or asked twice: no offer is oversold, no order has what it has not, and nothing leaks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.constantFrom(...KINDS),
      fc.integer({ min: 1, max: 4 }),
      stories,
      fc.integer({ min: 0, max: 2 }),
      async (scheduler, kind, limit, told, sweeps) => {
        const world = new World(scheduler, kind, limit);
        const all = Promise.all([
          ...told.flatMap((story, number) => story.attempts.map((one) => attempt(world, number, story, one))),
          ...Array.from({ length: sweeps }, () => world.sweep()),
        ]);
        await scheduler.waitFor(all);
        await scheduler.waitIdle();
        await scheduler.waitFor(world.sweep());
        const live = [...world.orders.values()].filter(({ cancelled }) => !cancelled);
        const held = live.flatMap(({ holds }) => holds);
        expect([...world.state.holds.keys()].sort()).toEqual(held.map(({ hold_id }) => hold_id).sort());
        expect(world.state.used).toBe(held.reduce((sum, { units }) => sum + units, 0));
      },
    ),
    { numRuns: 1_000 },
  );
});
