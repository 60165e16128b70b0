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

describe("the bounds of a batch, each by itself", () => {
  /** A unit that writes so many events of so many characters, to a stream of its own. */
  const heavy = (stream_id: string, events: number, characters = 1): PreparedUnit =>
    prepareUnit({
      streams: [
        {
          ...{ stream_id, stream_type: "t", expected_version: 0 },
          events: Array.from({ length: events }, () => ({
            type: "t",
            data: { name: stream_id, text: "x".repeat(characters) },
          })),
        },
      ],
      commands: [],
      meta: {},
    });
  /** The streams of each batch, in order, when all come in at one moment. */
  async function batchesOf(units: readonly PreparedUnit[], limits = BATCH_LIMITS): Promise<string[][]> {
    const batches: string[][] = [];
    const batcher = new AppendBatcher((batch) => {
      batches.push(batch.map(nameOf));
      return Promise.resolve(batch.map(() => committed));
    }, limits);
    await Promise.all(units.map((each) => batcher.append(each)));
    return batches;
  }

  it("are 4 096 events: so many fit, one more does not", async () => {
    expect(await batchesOf([heavy("a", 4_000), heavy("b", 96), heavy("c", 1)])).toEqual([["a", "b"], ["c"]]);
    expect(await batchesOf([heavy("a", 4_000), heavy("b", 97), heavy("c", 1)])).toEqual([["a"], ["b", "c"]]);
  });

  it("are 8 MB of JSON: so much fits, a character more does not", async () => {
    const room = BATCH_LIMITS.batch_size_max - heavy("a", 1, 3_000_000).size - heavy("b", 1, 0).size;
    expect(await batchesOf([heavy("a", 1, 3_000_000), heavy("b", 1, room)])).toEqual([["a", "b"]]);
    expect(await batchesOf([heavy("a", 1, 3_000_000), heavy("b", 1, room + 1)])).toEqual([["a"], ["b"]]);
  });

  it("are 512 units", async () => {
    const units = Array.from({ length: 513 }, (_, n) => heavy(`s${String(n)}`, 1));
    expect((await batchesOf(units)).map(({ length }) => length)).toEqual([512, 1]);
  });

  it("count only what goes: what is left for the next batch takes no room in this one", async () => {
    const limits = { ...BATCH_LIMITS, batch_events_max: 4 };
    const units = [heavy("a", 2), heavy("a", 2), heavy("b", 2), heavy("c", 1)];
    expect(await batchesOf(units, limits)).toEqual([
      ["a", "b"],
      ["a", "c"],
    ]);
  });

  it("look through a long queue only so far, and lose nobody behind it", async () => {
    const limits = { ...BATCH_LIMITS, batch_units_max: 2 };
    const units = [...Array.from({ length: 9 }, () => heavy("a", 1)), heavy("b", 1)];
    const batches = await batchesOf(units, limits);
    expect(batches.slice(0, 3)).toEqual([["a"], ["a"], ["a", "b"]]);
    expect(batches.flat()).toHaveLength(10);
  });
});

it("writes again after it was idle, as at first", async () => {
  const { append, next, batcher } = batcherWith();
  for (const name of ["a", "b"]) {
    const answer = append(name);
    const write = await next();
    expect(write.units).toEqual([name]);
    write.finish();
    expect(await answer).toEqual(committed);
    await batcher.idle();
  }
});

it("is idle only when what waits is answered, and at once when nothing does", async () => {
  const { append, next, batcher } = batcherWith();
  await batcher.idle();
  const answers = [append("a")];
  let idle = false;
  const becoming = batcher.idle().then(() => (idle = true));
  (await next()).finish();
  answers.push(append("b"));
  const second = await next();
  expect(idle).toBe(false);
  second.finish();
  await becoming;
  expect(await Promise.all(answers)).toEqual([committed, committed]);
});

it("knows a command by its id, in whatever case it is written", async () => {
  const { append, next } = batcherWith();
  const lower = append("a#abcdefabcdef");
  const upper = append("b#ABCDEFABCDEF");
  const first = await next();
  expect(first.units).toEqual(["a#abcdefabcdef"]);
  first.finish();
  const second = await next();
  expect(second.units).toEqual(["b#ABCDEFABCDEF"]);
  second.finish();
  await Promise.all([lower, upper]);
});

it("says so where a unit got no outcome, and lets the others have theirs", async () => {
  const { append, next } = batcherWith();
  const answers = [append("a"), append("b")].map((answer) => answer.catch((error: unknown) => error));
  (await next()).finish([committed]);
  expect(await answers[0]).toEqual(committed);
  expect(await answers[1]).toEqual(new Error("The log gave no outcome for a unit."));
});
