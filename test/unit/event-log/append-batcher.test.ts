import { UnavailableError } from "../../../mixins/contract/refusal";
import { AppendBatcher, BATCH_LIMITS, type BatchLimits } from "../../../mixins/event-log/append-batcher";
import type { AppendOutcome } from "../../../mixins/event-log/event-log";
import { prepareUnit, type PreparedUnit } from "../../../mixins/event-log/prepared-unit";

interface Write {
  readonly units: readonly string[];
  finish(outcomes?: readonly (AppendOutcome | Error)[]): void;
  fail(error: Error): void;
}

const committed: AppendOutcome = { status: "committed", position: 1 };

/** A unit named by what it does: `a+b` writes streams a and b, `a?b` writes a guarded by b, `a#7` writes a for command 7. */
function unit(name: string): PreparedUnit {
  const [, written = "", guard, command] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(name) ?? [];
  return prepareUnit({
    streams: written.split("+").map((stream_id) => ({
      stream_id,
      stream_type: "t",
      expected_version: 0,
      events: [{ type: "t", data: { name } }],
    })),
    guards: guard === undefined ? [] : [{ stream_id: guard, expected_version: 0 }],
    commands:
      command === undefined
        ? []
        : [{ id: `00000000-0000-4000-8000-${command.padStart(12, "0")}`, fingerprint: "", answer: name }],
    meta: {},
  });
}

function nameOf(prepared: PreparedUnit): string {
  return (JSON.parse(prepared.events[0]?.data ?? "{}") as { name: string }).name;
}

function batcherWith(limits: Partial<BatchLimits> = {}): {
  append: (name: string) => Promise<AppendOutcome>;
  next: () => Promise<Write>;
  batcher: AppendBatcher;
} {
  const writes: Write[] = [];
  const waiting: ((write: Write) => void)[] = [];
  const batcher = new AppendBatcher(
    (units) =>
      new Promise((resolve, reject) => {
        const write: Write = {
          units: units.map(nameOf),
          finish: (outcomes = units.map(() => committed)) => {
            resolve(outcomes);
          },
          fail: reject,
        };
        const taker = waiting.shift();
        if (taker === undefined) writes.push(write);
        else taker(write);
      }),
    { ...BATCH_LIMITS, ...limits },
  );
  const next = (): Promise<Write> => {
    const write = writes.shift();
    return write === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(write);
  };
  return { append: (name) => batcher.append(unit(name)), next, batcher };
}

it("takes what comes in at one moment as one batch, and what comes meanwhile as the next", async () => {
  const { append, next, batcher } = batcherWith();
  const answers = [append("a"), append("b")];
  const first = await next();
  expect(first.units).toEqual(["a", "b"]);
  answers.push(append("c"), append("d"));
  first.finish();
  const second = await next();
  expect(second.units).toEqual(["c", "d"]);
  second.finish();
  expect(await Promise.all(answers)).toEqual([committed, committed, committed, committed]);
  await batcher.idle();
});

it("leaves a unit for the next batch when an earlier one writes its stream, its guard, or answers its command", async () => {
  const { append, next } = batcherWith();
  const answers = ["a#1", "a", "b?a", "c#1", "d", "e?f", "f"].map(append);
  const first = await next();
  expect(first.units).toEqual(["a#1", "d", "e?f", "f"]);
  first.finish();
  const second = await next();
  expect(second.units).toEqual(["a", "c#1"]);
  second.finish();
  const third = await next();
  expect(third.units).toEqual(["b?a"]);
  third.finish();
  await Promise.all(answers);
});

it("lets nobody overtake on a stream", async () => {
  const { append, next } = batcherWith();
  const answers = ["a", "a+b", "b", "c"].map(append);
  const batches: (readonly string[])[] = [];
  while (batches.flat().length < 4) {
    const write = await next();
    batches.push(write.units);
    write.finish();
  }
  expect(batches).toEqual([["a", "c"], ["a+b"], ["b"]]);
  await Promise.all(answers);
});

it("keeps a batch within its limits of units, events and size, but takes a unit that is larger alone", async () => {
  const { append, next } = batcherWith({ batch_units_max: 3, batch_events_max: 4 });
  const answers = ["a", "b", "c", "d", "e+f+g", "h", "i+j+k+l+m"].map(append);
  const batches: (readonly string[])[] = [];
  while (batches.flat().length < answers.length) {
    const write = await next();
    batches.push(write.units);
    write.finish();
  }
  expect(batches).toEqual([["a", "b", "c"], ["d", "e+f+g"], ["h"], ["i+j+k+l+m"]]);
  await Promise.all(answers);
});

it("turns callers away when too many wait", async () => {
  const { append, next } = batcherWith({ waiting_max: 2 });
  const answers = [append("a"), append("b")];
  await expect(append("c")).rejects.toMatchObject({ type: "log.busy" });
  (await next()).finish();
  await Promise.all(answers);
});

it("gives every unit its own outcome, also its own error", async () => {
  const { append, next } = batcherWith();
  const answers = ["a", "b", "c"].map(append);
  const conflict: AppendOutcome = { status: "conflict", stream_id: "b" };
  (await next()).finish([committed, conflict, new Error("cannot be stored")]);
  expect(await Promise.allSettled(answers)).toMatchObject([
    { value: committed },
    { value: conflict },
    { reason: { message: "cannot be stored" } },
  ]);
});

it("tells everybody who waits as soon as the log is unavailable, and goes on afterwards", async () => {
  const { append, next } = batcherWith();
  const answers = [append("a")];
  const first = await next();
  answers.push(append("b"), append("c"));
  first.fail(new UnavailableError("log.unavailable", "gone"));
  expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual([
    "rejected",
    "rejected",
    "rejected",
  ]);
  const later = append("d");
  (await next()).finish();
  expect(await later).toEqual(committed);
});
