import { randomUUID } from "node:crypto";
import { createActorHost } from "../../../mixins/actor/create-actor-host";
import { actorHostsOf } from "../../../mixins/actor/actor-registry";
import type { ActorLimits } from "../../../mixins/actor/actor-host";
import { UnavailableError, isRefusal } from "../../../mixins/contract/refusal";
import type { AppendOutcome, EventLog } from "../../../mixins/event-log/event-log";
import { createEventLog } from "../../../mixins/event-log/postgres-event-log";
import { eventually } from "../../support/eventually";
import { ObservedLog } from "../../support/observed-log";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import {
  balanceOf,
  fresh,
  keyed,
  move,
  purseKind,
  type PurseCommand,
  type PurseHost,
} from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";

let database: TestDatabase;
let realLog: EventLog;
let log: ObservedLog;
let now = 0;
const clock = { now: () => now };
const logger = new QuietLogger();
const hosts: PurseHost[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  realLog = await createEventLog({ connection: database.connection, logger });
});
afterAll(async () => {
  await realLog.close();
  await database.stop();
});
beforeEach(() => {
  log = new ObservedLog(realLog);
});
afterEach(async () => {
  log.onAppend = () => undefined;
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

function hostOf(limits: Partial<ActorLimits> = {}, kind = purseKind): PurseHost {
  const host = createActorHost({ log, clock, logger }, { ...kind, limits });
  hosts.push(host);
  return host;
}

const tell = (host: PurseHost, stream_id: string, command: PurseCommand, identity = fresh()) =>
  host.tell(stream_id, command, identity, {});

const newPurse = (): string => `purse-${randomUUID()}`;
const unavailable = (type: string) => expect.objectContaining({ name: "UnavailableError", type }) as unknown;

/** Holds appends back until released. */
function holdAppends(): () => void {
  const gate = Promise.withResolvers<undefined>();
  log.onAppend = () => gate.promise;
  return () => {
    gate.resolve(undefined);
  };
}

describe("batching", () => {
  test("commands that wait become one append, and every caller gets its own answer", async () => {
    const host = hostOf();
    const purse = newPurse();
    const outcomes = await Promise.all(Array.from({ length: 500 }, () => move(host, purse, 1)));
    const balances = outcomes.map((outcome) => ("answer" in outcome ? outcome.answer : outcome));
    expect(balances).toEqual(Array.from({ length: 500 }, (_, n) => ({ balance: n + 1 })));
    expect(log.units.length).toBeLessThanOrEqual(4);
    expect(await log.readStream(purse)).toHaveLength(500);
  });

  test("each event carries the meta of its own command", async () => {
    const host = hostOf();
    const purse = newPurse();
    const release = holdAppends();
    const told = ["anna", "boris", "vera"].map((actor) => move(host, purse, 1, fresh(), { actor }));
    release();
    await Promise.all(told);
    expect((await log.readStream(purse)).map(({ meta }) => meta.actor)).toEqual(["anna", "boris", "vera"]);
    expect(log.units).toHaveLength(2);
  });

  test("a full mailbox turns further commands away, and nobody else", async () => {
    const host = hostOf({ mailbox_max: 3 });
    const purse = newPurse();
    const release = holdAppends();
    const first = move(host, purse, 1);
    await eventually(() => {
      expect(log.units).toHaveLength(1);
    });
    const waiting = [move(host, purse, 1), move(host, purse, 1), move(host, purse, 1)];
    await expect(move(host, purse, 1)).rejects.toEqual(unavailable("actor.mailbox_full"));
    release();
    await Promise.all([first, ...waiting]);
    expect(await balanceOf(host, purse)).toBe(4);
  });

  test("founded streams are appended with the decision that founds them", async () => {
    const host = hostOf();
    const [purse, order] = [newPurse(), `order-${randomUUID()}`];
    const founds = [
      {
        stream_id: order,
        stream_type: "order",
        expected_version: 0,
        events: [{ type: "order.placed", data: {} }],
      },
    ];
    const outcome = await tell(host, purse, { kind: "move", amount: 1, founds });
    const [placed] = await log.readStream(order);
    expect(placed).toMatchObject({ type: "order.placed", version: 1 });
    expect(outcome).toMatchObject({ position: placed?.position });
  });

  test("a command that founds a stream for the second time is refused and takes no other down", async () => {
    const host = hostOf();
    const purse = newPurse();
    const founds = [
      {
        stream_id: `order-${randomUUID()}`,
        stream_type: "order",
        expected_version: 0,
        events: [{ type: "order.placed", data: {} }],
      },
    ];
    const outcomes = await Promise.all([
      move(host, purse, 1),
      tell(host, purse, { kind: "move", amount: 10, founds }),
      tell(host, purse, { kind: "move", amount: 100, founds }),
      move(host, purse, 1000),
    ]);
    expect(outcomes.map((outcome) => (isRefusal(outcome) ? outcome.code : outcome.answer))).toEqual([
      { balance: 1 },
      { balance: 11 },
      "stream.exists",
      { balance: 1011 },
    ]);
  });

  test("nobody sees what is not in the log yet", async () => {
    const host = hostOf();
    const purse = newPurse();
    const release = holdAppends();
    const moving = move(host, purse, 5);
    await eventually(() => {
      expect(log.units).toHaveLength(1);
    });
    let seen: number | undefined;
    const looking = balanceOf(host, purse).then((balance) => (seen = balance));
    await log.head();
    expect(seen).toBeUndefined();
    release();
    await Promise.all([moving, looking]);
    expect(seen).toBe(5);
  });
});

describe("refusals", () => {
  test("are decided on what the commands before them have done", async () => {
    const host = hostOf();
    const purse = newPurse();
    const outcomes = await Promise.all([10, -15, 10, -15].map((amount) => move(host, purse, amount)));
    expect(outcomes.map((outcome) => (isRefusal(outcome) ? outcome.data : outcome.answer))).toEqual([
      { balance: 10 },
      { balance: 10 },
      { balance: 20 },
      { balance: 5 },
    ]);
    expect(await log.readStream(purse)).toHaveLength(3);
  });

  test("that rest on events which did not commit are decided again", async () => {
    const [stale, other] = [hostOf(), hostOf()];
    const purse = newPurse();
    await move(stale, purse, 10);
    await move(other, purse, 100);
    const outcomes = await Promise.all([move(stale, purse, -10), move(stale, purse, -50)]);
    expect(outcomes.map((outcome) => (isRefusal(outcome) ? outcome.code : outcome.answer))).toEqual([
      { balance: 100 },
      { balance: 50 },
    ]);
  });

  test("of an activation that another node has overtaken are decided again", async () => {
    const [stale, other] = [hostOf(), hostOf()];
    const purse = newPurse();
    await move(stale, purse, 10);
    await move(other, purse, 100);
    expect(await move(stale, purse, -50)).toMatchObject({ answer: { balance: 60 } });
  });

  test("write nothing, and leave nothing behind in memory", async () => {
    const host = hostOf();
    const purse = newPurse();
    expect(await move(host, purse, -1)).toMatchObject({ refused: "unprocessable", code: "purse.empty" });
    expect(log.units).toHaveLength(0);
    await eventually(() => {
      expect(host.list()).toHaveLength(0);
    });
  });
});

describe("repetition", () => {
  test("the same command twice in one batch has one effect and one answer", async () => {
    const host = hostOf();
    const purse = newPurse();
    const key = keyed();
    const [first, second, other] = await Promise.all([
      move(host, purse, 7, key),
      move(host, purse, 7, key),
      move(host, purse, 7, { ...key, fingerprint: "other" }),
    ]);
    expect(first).toMatchObject({ answer: { balance: 7 }, replayed: false });
    expect(second).toEqual({ ...first, replayed: true });
    expect(other).toMatchObject({ code: "idempotency.key_reused" });
    expect(await balanceOf(host, purse)).toBe(7);
  });

  test("a command that comes again later gets its first answer, and the others of its batch their own", async () => {
    const host = hostOf();
    const purse = newPurse();
    const key = keyed();
    const first = await move(host, purse, 7, key);
    const [before, again, after] = await Promise.all([
      move(host, purse, 1),
      move(host, purse, 7, key),
      move(host, purse, 2),
    ]);
    expect(again).toEqual({ ...first, replayed: true });
    expect([before, after]).toMatchObject([{ answer: { balance: 8 } }, { answer: { balance: 10 } }]);
    expect(await balanceOf(hostOf(), purse)).toBe(10);
  });

  test("a command that came by another node gets its first answer", async () => {
    const purse = newPurse();
    const key = keyed();
    const first = await move(hostOf(), purse, 7, key);
    expect(await move(hostOf(), purse, 7, key)).toEqual({ ...first, replayed: true });
  });

  test("a repeated command that now finds nothing to do still gets its first answer", async () => {
    const host = hostOf();
    const purse = newPurse();
    const key = keyed();
    const first = await move(host, purse, 7, key);
    expect(await tell(host, purse, { kind: "nothing" }, key)).toEqual({ ...first, replayed: true });
  });

  test("a command without events is answered without an append", async () => {
    const host = hostOf();
    const purse = newPurse();
    const moved = await move(host, purse, 7);
    expect(await tell(host, purse, { kind: "nothing" }, keyed())).toEqual({
      ...moved,
      answer: { balance: 7 },
    });
    expect(log.units).toHaveLength(1);
  });
});

describe("conflicts and faults", () => {
  test("after a conflict the given data is read afresh", async () => {
    const purse = newPurse();
    const branch = newPurse();
    await move(hostOf(), branch, 1);
    const attempts: number[] = [];
    const host = hostOf(
      {},
      {
        ...purseKind,
        given: (_, attempt) => {
          attempts.push(attempt);
          return Promise.resolve({
            given: undefined,
            guards: [{ stream_id: branch, expected_version: attempt === 0 ? 0 : 1 }],
          });
        },
      },
    );
    expect(await move(host, purse, 1)).toMatchObject({ answer: { balance: 1 } });
    expect(attempts).toEqual([0, 1]);
  });

  test("endless conflicts end in a fault", async () => {
    const host = hostOf({ conflict_retries: 2 });
    const purse = newPurse();
    log.onAppend = () => Promise.resolve<AppendOutcome>({ status: "conflict", stream_id: purse });
    await expect(move(host, purse, 1)).rejects.toEqual(unavailable("actor.contended"));
    expect(log.units).toHaveLength(3);
  });

  test("when the log fails, callers hear it, and the next command is decided on what the log has", async () => {
    const host = hostOf();
    const purse = newPurse();
    await move(host, purse, 1);
    log.onAppend = async (unit) => {
      await realLog.append(unit);
      throw new UnavailableError("log.unavailable", "outcome unknown");
    };
    const key = keyed();
    await expect(move(host, purse, 10, key)).rejects.toEqual(unavailable("log.unavailable"));
    log.onAppend = () => undefined;
    expect(await move(host, purse, 100)).toMatchObject({ answer: { balance: 111 } });
    expect(await move(host, purse, 10, key)).toMatchObject({ answer: { balance: 11 }, replayed: true });
  });

  test.each(["break_decide", "break_evolve"] as const)(
    "a command that makes a defect (%s) fails alone",
    async (kind) => {
      const host = hostOf();
      const purse = newPurse();
      const [before, broken, after] = await Promise.allSettled([
        move(host, purse, 1),
        tell(host, purse, { kind }),
        move(host, purse, 2),
      ]);
      expect(broken).toMatchObject({ status: "rejected", reason: { message: /is broken/ } });
      expect([before, after]).toMatchObject([
        { value: { answer: { balance: 1 } } },
        { value: { answer: { balance: 3 } } },
      ]);
    },
  );

  test("a command whose answer cannot be kept fails alone", async () => {
    const host = hostOf();
    const purse = newPurse();
    const [before, broken, after] = await Promise.allSettled([
      move(host, purse, 1),
      tell(host, purse, { kind: "move", amount: 5, answer: 5n }),
      move(host, purse, 2),
    ]);
    expect(broken.status).toBe("rejected");
    expect([before, after]).toMatchObject([
      { value: { answer: { balance: 1 } } },
      { value: { answer: { balance: 3 } } },
    ]);
    expect(await balanceOf(hostOf(), purse)).toBe(3);
  });
});

describe("life", () => {
  test("an idle actor is passivated and comes back with its state", async () => {
    const host = hostOf({ idle_ms: 40 });
    const purse = newPurse();
    await move(host, purse, 5);
    expect(host.list()).toMatchObject([{ stream_id: purse, version: 1, waiting: 0 }]);
    await eventually(() => {
      now += 50;
      expect(host.list()).toHaveLength(0);
    });
    expect(await move(host, purse, 1)).toMatchObject({ answer: { balance: 6 } });
  });

  test("only so many live at once: the longest unused one goes", async () => {
    const host = hostOf({ live_max: 2 });
    const [a, b, c] = [newPurse(), newPurse(), newPurse()];
    await move(host, a, 1);
    await move(host, b, 1);
    await move(host, a, 1);
    await move(host, c, 1);
    expect(
      host
        .list()
        .map(({ stream_id }) => stream_id)
        .sort(),
    ).toEqual([a, c].sort());
  });

  test("when all that live are at work, a further one is turned away", async () => {
    const host = hostOf({ live_max: 1 });
    const release = holdAppends();
    const busy = move(host, newPurse(), 1);
    await expect(move(host, newPurse(), 1)).rejects.toEqual(unavailable("actor.host_full"));
    release();
    await busy;
  });

  test("operators see all hosts of a log, and may evict an actor", async () => {
    const host = hostOf();
    const purse = newPurse();
    await move(host, purse, 5);
    const [shown] = actorHostsOf(log);
    expect(shown?.kind).toBe("purse");
    expect(shown?.list()).toMatchObject([{ stream_id: purse }]);
    expect(await shown?.evict(purse)).toBe(true);
    expect(await shown?.evict(purse)).toBe(false);
    expect(await balanceOf(host, purse)).toBe(5);
    await host.stop();
    expect(actorHostsOf(log)).toHaveLength(0);
  });

  test("stopping finishes what waits and takes nothing more", async () => {
    const host = hostOf();
    const purse = newPurse();
    const release = holdAppends();
    const told = [move(host, purse, 1), move(host, purse, 2)];
    const stopped = host.stop();
    await expect(move(host, purse, 4)).rejects.toEqual(unavailable("actor.stopping"));
    release();
    await stopped;
    expect(await Promise.all(told)).toMatchObject([{ answer: { balance: 1 } }, { answer: { balance: 3 } }]);
  });

  test("log lines name an actor by kind, stream and version", async () => {
    const host = hostOf();
    const purse = newPurse();
    await move(host, purse, 1);
    await host.evict(purse);
    await balanceOf(host, purse);
    expect(logger.having(`purse<${purse}@1>: activated`)).toHaveLength(1);
  });
});

describe("snapshots", () => {
  const snapshot = {
    schema_v: 1,
    save: (state: { balance: number }) => state,
    load: (saved: unknown) => saved as { balance: number },
  };

  /** Counts how many events an activation folds. */
  async function foldedBy(
    kind: typeof purseKind,
    purse: string,
  ): Promise<{ balance: number; folded: number }> {
    let folded = 0;
    const evolve: typeof kind.decider.evolve = (state, event) => {
      folded += 1;
      return kind.decider.evolve(state, event);
    };
    const balance = await balanceOf(hostOf({}, { ...kind, decider: { ...kind.decider, evolve } }), purse);
    return { balance, folded };
  }

  async function purseOf(events: number): Promise<string> {
    const host = hostOf({ snapshot_every: 10, batch_max: 1 }, { ...purseKind, snapshot });
    const purse = newPurse();
    for (let n = 0; n < events; n += 1) {
      await move(host, purse, 1);
      await eventually(() => {
        expect(log.snapshots.length > 0 || n < 9).toBe(true);
      });
    }
    return purse;
  }

  test("spare an activation the reading of the stream", async () => {
    const purse = await purseOf(15);
    expect(await foldedBy({ ...purseKind, snapshot }, purse)).toEqual({ balance: 15, folded: 5 });
  });

  test("are ignored when of another shape, not usable, or ahead of the stream", async () => {
    const purse = await purseOf(15);
    expect(await foldedBy({ ...purseKind, snapshot: { ...snapshot, schema_v: 2 } }, purse)).toEqual({
      balance: 15,
      folded: 15,
    });
    const load = (): never => {
      throw new Error("not mine");
    };
    expect(await foldedBy({ ...purseKind, snapshot: { ...snapshot, load } }, purse)).toEqual({
      balance: 15,
      folded: 15,
    });
    await log.saveSnapshot({ stream_id: purse, version: 99, schema_v: 1, state: { balance: 99 } });
    expect(await foldedBy({ ...purseKind, snapshot }, purse)).toEqual({ balance: 15, folded: 15 });
  });

  test("become rarer as a stream grows", async () => {
    await purseOf(400);
    // Every ten events would be forty.
    expect(log.snapshots.length).toBeLessThan(20);
    expect(log.snapshots.length).toBeGreaterThan(8);
  });
});
