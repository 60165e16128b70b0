import { createActorHost } from "../../../mixins/actor/create-actor-host";
import type { ActorLimits } from "../../../mixins/actor/actor-host";
import { UnavailableError } from "../../../mixins/contract/refusal";
import type { StreamAppend } from "../../../mixins/event-log/event-log";
import { balanceOf, fresh, keyed, move, purseKind, type PurseHost } from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";
import { WritableLog } from "../../support/writable-log";

const PURSE = "purse-1";

function hostOf(log: WritableLog, limits: Partial<ActorLimits> = {}, kind = purseKind): PurseHost {
  return createActorHost(
    { log, clock: { now: () => 0 }, logger: new QuietLogger() },
    { ...kind, limits: { ...kind.limits, ...limits } },
  );
}

/** The commands of `told` wait together and form one batch: the one before them is held up in the log. */
async function inOneBatch<T>(log: WritableLog, host: PurseHost, tell: () => Promise<T>[]): Promise<T[]> {
  const go = log.hold();
  const first = move(host, PURSE, 100);
  while (log.tried.length === 0) await new Promise(setImmediate);
  const told = tell();
  go();
  await first;
  return Promise.all(told);
}

const founding = (stream_id: string): StreamAppend => ({
  ...{ stream_id, stream_type: "order", expected_version: 0 },
  events: [{ type: "order.placed", data: {} }],
});

describe("an actor", () => {
  let log: WritableLog;
  let host: PurseHost;

  beforeEach(() => {
    log = new WritableLog();
    host = hostOf(log);
  });
  afterEach(() => host.stop());

  it("answers a double click in one batch twice, the second time as a repetition", async () => {
    const key = keyed();
    const answers = await inOneBatch(log, host, () => [move(host, PURSE, 5, key), move(host, PURSE, 5, key)]);
    expect(answers).toEqual([
      { answer: { balance: 105 }, position: 2, replayed: false },
      { answer: { balance: 105 }, position: 2, replayed: true },
    ]);
    expect(log.tried).toHaveLength(2);
    expect(await balanceOf(host, PURSE)).toBe(105);
  });

  it("forgets what it has read of a log that went back, and decides by what that holds", async () => {
    await move(host, PURSE, 100);
    await move(host, PURSE, 50);
    log.goBackTo(1);
    log.write({ type: "purse.moved", data: { amount: 7 }, stream_id: PURSE });
    expect(await move(host, PURSE, 1)).toMatchObject({ answer: { balance: 108 } });
    expect(await balanceOf(host, PURSE)).toBe(108);
  });

  it("decides nothing by a state that was read before the log went back", async () => {
    const go = log.hold();
    const first = move(host, PURSE, 100);
    while (log.tried.length === 0) await new Promise(setImmediate);
    const waiting = move(host, PURSE, 1);
    go();
    await first;
    await waiting;
    const kind = {
      ...purseKind,
      given: () => {
        log.goBackTo(0);
        return Promise.resolve({ given: undefined });
      },
    };
    const other = hostOf(log, {}, kind);
    await expect(move(other, PURSE, 5)).rejects.toBeInstanceOf(UnavailableError);
    expect(await log.head()).toBe(0);
    await other.stop();
  });

  it("does nothing that follows from an event of a log that went back", async () => {
    await move(host, PURSE, 100);
    const lost = { ...keyed(), of_log: "another log" };
    await expect(move(host, PURSE, -100, lost)).rejects.toBeInstanceOf(UnavailableError);
    expect(await balanceOf(host, PURSE)).toBe(100);
    const sound = { ...keyed(), of_log: log.lineage.name };
    expect(await move(host, PURSE, -40, sound)).toMatchObject({ answer: { balance: 60 } });
  });

  it("knows the same id in capital letters", async () => {
    const key = keyed();
    const shouted = { ...key, id: key.id.toUpperCase() };
    const answers = await inOneBatch(log, host, () => [
      move(host, PURSE, 5, key),
      move(host, PURSE, 5, shouted),
    ]);
    expect(answers.map((answer) => "replayed" in answer && answer.replayed)).toEqual([false, true]);
    expect(await move(host, PURSE, 5, shouted)).toMatchObject({ position: 2, replayed: true });
  });

  it("refuses the same id with another request, in a batch and after it", async () => {
    const key = keyed();
    const other = { ...key, fingerprint: "other" };
    const [, second] = await inOneBatch(log, host, () => [
      move(host, PURSE, 5, key),
      move(host, PURSE, 6, other),
    ]);
    expect(second).toMatchObject({ refused: "conflict", code: "idempotency.key_reused" });
    expect(await move(host, PURSE, 6, other)).toMatchObject({ code: "idempotency.key_reused" });
    expect(await balanceOf(host, PURSE)).toBe(105);
  });

  it("goes on from the states that its decider makes anew", async () => {
    const renewing: typeof purseKind = {
      ...purseKind,
      decider: {
        ...purseKind.decider,
        evolve: (state, event) => ({ balance: state.balance + event.data.amount }),
      },
    };
    const anew = hostOf(log, {}, renewing);
    await move(anew, PURSE, 3);
    await move(anew, PURSE, 4);
    expect(await move(anew, PURSE, -8)).toMatchObject({ code: "purse.empty", data: { balance: 7 } });
    expect(await balanceOf(anew, PURSE)).toBe(7);
    await anew.stop();
  });

  it("writes a batch that founds streams and has no event of its own, guarding its own stream", async () => {
    const founder: typeof purseKind = {
      ...purseKind,
      decider: {
        ...purseKind.decider,
        decide: () => ({ events: [], founds: [founding("order-9")], answer: "founded" }),
      },
    };
    await move(host, PURSE, 1);
    const founds = hostOf(log, {}, founder);
    expect(await move(founds, PURSE, 1)).toEqual({ answer: "founded", position: 2, replayed: false });
    expect(log.tried.at(-1)).toMatchObject({
      streams: [{ stream_id: "order-9" }],
      guards: [{ stream_id: PURSE, expected_version: 1 }],
    });
    await founds.stop();
  });

  it("decides again when somebody else has written, and gives up when that goes on", async () => {
    await move(host, PURSE, 10);
    log.write({ type: "purse.moved", data: { amount: -4 }, stream_id: PURSE });
    expect(await move(host, PURSE, -7)).toMatchObject({ code: "purse.empty", data: { balance: 6 } });
    const busy = hostOf(log, { conflict_retries: 2 });
    const before = log.tried.length;
    const readStream = log.readStream.bind(log);
    log.readStream = async (stream_id, after) => {
      const events = await readStream(stream_id, after);
      log.write({ type: "purse.moved", data: { amount: 1 }, stream_id });
      return events;
    };
    await expect(move(busy, PURSE, 1)).rejects.toMatchObject({ type: "actor.contended" });
    expect(log.tried.length - before).toBe(3);
    log.readStream = readStream;
    await busy.stop();
  });

  it("gives a stored answer to whom it belongs, and decides the others again", async () => {
    const key = keyed();
    const other = hostOf(log);
    await move(other, PURSE, 7, key);
    const answers = await Promise.all([move(host, PURSE, 7, key), move(host, PURSE, 2)]);
    expect(answers).toMatchObject([
      { answer: { balance: 7 }, replayed: true },
      { answer: { balance: 9 }, replayed: false },
    ]);
    await other.stop();
  });

  it("tells who founds a stream that exists, and goes on with the others", async () => {
    log.write({ type: "order.placed", data: {}, stream_id: "order-1" });
    const answers = await inOneBatch(log, host, () => [
      host.tell(PURSE, { kind: "move", amount: 1, founds: [founding("order-1")] }, fresh(), {}),
      move(host, PURSE, 2),
    ]);
    expect(answers).toMatchObject([
      {
        refused: "conflict",
        code: "stream.exists",
        detail: "order-1 exists already; it cannot be founded twice.",
      },
      { answer: { balance: 102 } },
    ]);
  });

  it("refuses nobody by a state that others have overtaken", async () => {
    await move(host, PURSE, 10);
    log.write({ type: "purse.moved", data: { amount: 5 }, stream_id: PURSE });
    expect(await move(host, PURSE, -12)).toMatchObject({ answer: { balance: 3 } });
  });

  it("has nothing to do for a repetition of what wrote nothing, and gives its first answer", async () => {
    const key = keyed();
    const nothing = () => host.tell(PURSE, { kind: "nothing" }, key, {});
    await move(host, PURSE, 1);
    log.asked.answers = 0;
    expect(await nothing()).toEqual({ answer: { balance: 1 }, position: 1, replayed: false });
    expect(log.asked.answers).toBe(1);
    // What Forno asks itself, with an id that nobody can have used before, is not looked up.
    await host.tell(PURSE, { kind: "nothing" }, fresh(), {});
    expect(log.asked.answers).toBe(1);
  });

  it("tells everybody when the log fails, and believes its memory no longer", async () => {
    await move(host, PURSE, 10);
    log.failOnce(new UnavailableError("log.unavailable", "Away."));
    const failed = await Promise.allSettled([move(host, PURSE, 1), move(host, PURSE, 2)]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const reads = log.asked.streams;
    expect(await move(host, PURSE, 3)).toMatchObject({ answer: { balance: 13 } });
    expect(log.asked.streams).toBe(reads + 1);
  });

  it("lets one command's defect take no other down", async () => {
    await move(host, PURSE, 10);
    log.failOnce(new Error("an answer that is no JSON"));
    const told = await Promise.allSettled([move(host, PURSE, 1), move(host, PURSE, 2)]);
    expect(told.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
    expect(await balanceOf(host, PURSE)).toBe(13);
    const spoilt = host.tell(PURSE, { kind: "break_evolve" }, fresh(), {});
    await expect(Promise.all([move(host, PURSE, 1), spoilt])).rejects.toThrow("evolve is broken");
    expect(await balanceOf(host, PURSE)).toBe(14);
    await expect(host.tell(PURSE, { kind: "break_decide" }, fresh(), {})).rejects.toThrow("decide is broken");
  });

  it("takes so many commands that wait, and no more", async () => {
    const small = hostOf(log, { mailbox_max: 2 });
    const go = log.hold();
    const first = move(small, PURSE, 1);
    while (log.tried.length === 0) await new Promise(setImmediate);
    const waiting = [move(small, PURSE, 1), move(small, PURSE, 1)];
    await expect(move(small, PURSE, 1)).rejects.toMatchObject({ type: "actor.mailbox_full", code: 503 });
    expect(small.list()).toMatchObject([{ stream_id: PURSE, waiting: 2, idle_ms: 0 }]);
    go();
    await Promise.all([first, ...waiting]);
    expect(await balanceOf(small, PURSE)).toBe(3);
    await small.stop();
  });

  it("shows its state between two batches only", async () => {
    await move(host, PURSE, 1);
    const go = log.hold();
    const moving = move(host, PURSE, 5);
    while (log.tried.length < 2) await new Promise(setImmediate);
    const looked = balanceOf(host, PURSE);
    log.failOnce(new UnavailableError("log.unavailable", "Away."));
    go();
    await expect(moving).rejects.toThrow("Away.");
    expect(await looked).toBe(1);
  });

  it("finishes what it was told when its host stops, and takes nothing more", async () => {
    const go = log.hold();
    const last = move(host, PURSE, 1);
    while (log.tried.length === 0) await new Promise(setImmediate);
    const stopped = host.stop();
    await expect(move(host, PURSE, 1)).rejects.toMatchObject({ type: "actor.stopping" });
    go();
    await stopped;
    expect(await last).toMatchObject({ answer: { balance: 1 } });
  });
});
