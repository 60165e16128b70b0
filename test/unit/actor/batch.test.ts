import { BatchDraft, type Told } from "../../../mixins/actor/batch";
import type { CommandIdentity } from "../../../mixins/contract/caller";
import type { StreamAppend } from "../../../mixins/event-log/event-log";
import { fresh, keyed, purseKind, type PurseCommand } from "../../support/purse";

const told = (
  command: PurseCommand,
  identity: CommandIdentity = fresh(),
  actor = "anna",
): Told<PurseCommand> => ({
  command,
  identity,
  meta: { actor },
  resolve: () => undefined,
  reject: () => undefined,
});
const moving = (amount: number, identity?: CommandIdentity, actor?: string): Told<PurseCommand> =>
  told({ kind: "move", amount }, identity, actor);

function decide(...batch: Told<PurseCommand>[]) {
  const draft = new BatchDraft(purseKind.decider, undefined, { balance: 10 });
  const postponed = draft.decide(batch);
  return { draft, postponed, verdicts: draft.decided.map(({ verdict }) => verdict) };
}

test("each command is decided on what the ones before it lead to", () => {
  const { draft, verdicts } = decide(moving(5), moving(-20), moving(-15));
  expect(verdicts).toMatchObject([
    { kind: "accepted", answer: { balance: 15 } },
    { kind: "refused", refusal: { code: "purse.empty", data: { balance: 15 } } },
    { kind: "accepted", answer: { balance: 0 } },
  ]);
  expect(draft.state).toEqual({ balance: 0 });
  expect(draft.records).toHaveLength(2);
});

test("each event says whose it is", () => {
  const { draft } = decide(moving(1, fresh(), "anna"), moving(2, fresh(), "boris"));
  expect(draft.events).toMatchObject([
    { meta: { actor: "anna" }, data: { amount: 1 } },
    { meta: { actor: "boris" }, data: { amount: 2 } },
  ]);
});

test("the same command a second time is not decided", () => {
  const key = keyed();
  const { draft, verdicts } = decide(moving(5, key), moving(5, key));
  expect(verdicts).toMatchObject([
    { kind: "accepted" },
    { kind: "repeated", first: { id: key.id, answer: { balance: 15 } } },
  ]);
  expect(draft.events).toHaveLength(1);
});

test("a refused command comes again with the same id and is decided again", () => {
  const key = keyed();
  const { verdicts } = decide(moving(-11, key), moving(1), moving(-11, key));
  expect(verdicts.map(({ kind }) => kind)).toEqual(["refused", "accepted", "accepted"]);
});

test("nothing to do is an answer, and only a client's key makes it worth keeping", () => {
  const { draft, verdicts } = decide(told({ kind: "nothing" }), told({ kind: "nothing" }, keyed()));
  expect(verdicts).toMatchObject([
    { kind: "accepted", reading: false },
    { kind: "accepted", reading: false },
  ]);
  expect(draft.writes).toBe(false);
  expect(draft.promises).toBe(true);
  expect(draft.records).toHaveLength(1);
});

test("a refusal and a look at the state promise nothing", () => {
  const decider = {
    ...purseKind.decider,
    decide: () => ({ events: [], answer: {}, reading: true as const }),
  };
  const looked = new BatchDraft(decider, undefined, { balance: 10 });
  looked.decide([told({ kind: "nothing" })]);
  expect(looked.promises).toBe(false);
  expect(decide(moving(-11)).draft.promises).toBe(false);
});

test("a stream that is founded for the second time waits for the next unit, with all behind it", () => {
  const founds: StreamAppend[] = [
    {
      stream_id: "order-1",
      stream_type: "order",
      expected_version: 0,
      events: [{ type: "order.placed", data: {} }],
    },
  ];
  const founding = (): Told<PurseCommand> => told({ kind: "move", amount: 1, founds });
  const [second, third] = [founding(), moving(1)];
  const { draft, postponed } = decide(founding(), second, third);
  expect(postponed).toEqual([second, third]);
  expect(draft.founds).toMatchObject([{ stream_id: "order-1", events: [{ meta: { actor: "anna" } }] }]);
  expect(draft.state).toEqual({ balance: 11 });
});

test("a broken decision is its own command's matter, a broken state everybody's", () => {
  expect(decide(told({ kind: "break_decide" }), moving(1)).verdicts.map(({ kind }) => kind)).toEqual([
    "broken",
    "accepted",
  ]);
  const spoiler = told({ kind: "break_evolve" });
  expect(decide(moving(1), spoiler, moving(1)).draft.spoilt).toMatchObject({
    by: spoiler,
    error: { message: "evolve is broken" },
  });
});

test("a unit takes only so many events", () => {
  const many = Array.from({ length: 5_000 }, () => moving(1));
  const { draft, postponed } = decide(...many);
  expect(draft.events).toHaveLength(4_096);
  expect(postponed).toHaveLength(904);
});
