import type { ActorKind } from "../../../mixins/actor/actor-host";
import { fold, remember } from "../../../mixins/actor/memory";
import type { Snapshot } from "../../../mixins/event-log/event-log";
import { MemoryLog } from "../../support/memory-log";
import { purseKind, type Purse, type PurseCommand, type PurseEvent } from "../../support/purse";

const PURSE = "purse-1";
const kind: ActorKind<Purse, PurseCommand, PurseEvent, undefined> = {
  ...purseKind,
  snapshot: {
    schema_v: 2,
    save: ({ balance }) => balance,
    load: (saved) => {
      if (typeof saved !== "number") throw new Error("no number");
      return { balance: saved };
    },
  },
};

/** A log that has a snapshot, and says which versions it was asked for. */
class SnapshotLog extends MemoryLog {
  saved: Snapshot | undefined;
  readonly read_after: number[] = [];

  override loadSnapshot(): Promise<undefined> {
    return Promise.resolve(this.saved as undefined);
  }
  override readStream(stream_id: string, after_version = 0) {
    this.read_after.push(after_version);
    return super.readStream(stream_id, after_version);
  }
}

describe("what an actor remembers", () => {
  let log: SnapshotLog;
  let complaints: string[];
  const recalled = () => remember(log, kind, PURSE, (complaint) => complaints.push(complaint));
  const snapshot = (version: number, state: unknown, schema_v = 2): Snapshot => ({
    ...{ stream_id: PURSE, version, schema_v, state },
  });

  beforeEach(() => {
    log = new SnapshotLog();
    complaints = [];
    log.write({ type: "purse.moved", data: { amount: 1 }, stream_id: "another" });
    for (const amount of [10, 20, 30]) log.write({ type: "purse.moved", data: { amount }, stream_id: PURSE });
  });

  it("is nothing of a stream that is not there", async () => {
    expect(await remember(log, kind, "purse-2", () => undefined)).toEqual({
      ...{ state: { balance: 0 }, version: 0, position: 0, snapshot_version: 0, read_under: 0 },
    });
  });

  it("is the fold of all events without a snapshot", async () => {
    expect(await recalled()).toEqual({
      ...{ state: { balance: 60 }, version: 3, position: 4, snapshot_version: 0, read_under: 0 },
    });
    expect(log.read_after).toEqual([0]);
  });

  it("is a snapshot and the events after it, read from the snapshot's own version on", async () => {
    log.saved = snapshot(2, 300);
    expect(await recalled()).toEqual({
      ...{ state: { balance: 330 }, version: 3, position: 4, snapshot_version: 2, read_under: 0 },
    });
    expect(log.read_after).toEqual([1]);
  });

  it("is a snapshot of the very end, with the position of its event", async () => {
    log.saved = snapshot(3, 600);
    expect(await recalled()).toMatchObject({ state: { balance: 600 }, version: 3, position: 4 });
  });

  it.each([
    ["of another shape", snapshot(2, 300, 1), []],
    [
      "of a version that the stream does not have",
      snapshot(4, 900),
      [/of version 4, which the stream does not have/],
    ],
    ["that cannot be read", snapshot(2, "rubbish"), [/of version 2 is not usable.*no number/]],
  ])("is folded from all events where there is a snapshot %s", async (_, saved, said) => {
    log.saved = saved;
    expect(await recalled()).toMatchObject({ state: { balance: 60 }, version: 3, snapshot_version: 0 });
    expect(complaints).toEqual(said.map((pattern) => expect.stringMatching(pattern) as string));
  });

  it("has no hole", async () => {
    const [, second] = await log.readStream(PURSE);
    const memory = { state: { balance: 0 }, version: 0, position: 0, snapshot_version: 0, read_under: 0 };
    expect(() => fold(kind.decider, memory, second === undefined ? [] : [second])).toThrow(
      "purse-1: version 2 follows 0.",
    );
  });
});
