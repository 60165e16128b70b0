import fc from "fast-check";
import { randomUUID } from "node:crypto";
import { createActorHost } from "../../../mixins/actor/create-actor-host";
import { isRefusal, type Refusal } from "../../../mixins/contract/refusal";
import type { CommandOutcome } from "../../../mixins/contract/implement";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { balanceOf, keyed, move, purseKind, type PurseHost } from "../../support/purse";
import { QuietLogger } from "../../support/quiet-logger";

let database: TestDatabase;
let logs: PostgresEventLog[];

beforeAll(async () => {
  database = await startTestDatabase();
  logs = await Promise.all([0, 1].map(() => createEventLog({ connection: database.connection })));
});
afterAll(async () => {
  await Promise.all(logs.map((log) => log.close()));
  await database.stop();
});

/** One caller's doing: a move by one of the nodes, and maybe the same again by the other, as after a timeout. */
const step = fc.record({
  node: fc.constantFrom(0, 1),
  amount: fc.integer({ min: -20, max: 30 }),
  repeated: fc.boolean(),
  pause: fc.constantFrom(0, 0, 0, 1),
});

test("two nodes that both think they own an actor lose no command and do none twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      const hosts = logs.map((log): PurseHost =>
        createActorHost(
          { log, clock: { now: () => 0 }, logger: new QuietLogger() },
          { ...purseKind, limits: { conflict_retries: 100, batch_max: 8 } },
        ),
      );
      const purse = `purse-${randomUUID()}`;
      const told: Promise<{ amount: number; outcomes: (CommandOutcome | Refusal)[] }>[] = [];
      for (const { node, amount, repeated, pause } of steps) {
        const identity = keyed();
        const nodes = repeated ? [node, 1 - node] : [node];
        const answers = nodes.map((at) => move(hosts[at] as PurseHost, purse, amount, identity));
        told.push(Promise.all(answers).then((outcomes) => ({ amount, outcomes })));
        if (pause > 0) await new Promise(setImmediate);
      }
      const done = await Promise.all(told);
      const accepted = done.filter(({ outcomes }) => outcomes.some((outcome) => !isRefusal(outcome)));

      // Whoever was told yes is in the log once, with the one answer that everybody got.
      const events = await logs[0]?.readStream(purse);
      const sum = accepted.reduce((total, { amount }) => total + amount, 0);
      expect(events).toHaveLength(accepted.length);
      for (const { outcomes } of accepted) {
        // A refusal is kept nowhere: the other node may have come later and found money in it.
        const answers = outcomes.flatMap((outcome) =>
          isRefusal(outcome) ? [] : [[outcome.answer, outcome.position]],
        );
        expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      }
      // Every fold of the stream is a balance that may be: nobody decided on a state that was not.
      let balance = 0;
      for (const event of events ?? []) {
        balance += (event.data as { amount: number }).amount;
        expect(balance).toBeGreaterThanOrEqual(0);
      }
      expect(balance).toBe(sum);
      await Promise.all(hosts.map(async (host) => host.evict(purse)));
      expect(await balanceOf(hosts[0] as PurseHost, purse)).toBe(sum);
      await Promise.all(hosts.map((host) => host.stop()));
    }),
    { numRuns: 40 },
  );
});
