import { ServiceBroker } from "moleculer";
import { PlacedActors } from "../../../mixins/actor/placed-actors";
import { placementsOf } from "../../../mixins/actor/placements";
import type { CommandIdentity, Ctx } from "../../../mixins/contract/caller";
import type { CommandOutcome } from "../../../mixins/contract/implement";
import { UnavailableError } from "../../../mixins/contract/refusal";
import { fleetNodesOf } from "../../../mixins/transport/fleet-nodes";
import { nodeSilent } from "../../../mixins/transport/unreached";
import { MemoryLog } from "../../support/memory-log";
import { fresh, keyed, type PurseCommand } from "../../support/purse";

const KIND = { action: "purse.tell", streams: "purse-", room: "purse" };
const command: PurseCommand = { kind: "move", amount: 1 };
const answer = (who: string): CommandOutcome => ({ answer: who, position: 1, replayed: false });
const logAway = (): UnavailableError => new UnavailableError("log.unavailable", "Away.");

type Told = { readonly identity: CommandIdentity; readonly stream_id: string; readonly meta: object };

/** What one node does with commands for actors that may live at others. */
describe("placed actors", () => {
  const fleet = ["a", "b", "c", "d"];
  let broker: ServiceBroker;
  let log: MemoryLog;
  let actors: PlacedActors<PurseCommand>;
  /** Who was told, in order, and what. */
  let told: [string, Told][];
  /** How other nodes answer; they do what they are told unless said. */
  let others: Map<string, () => Promise<CommandOutcome>>;

  beforeEach(() => {
    told = [];
    others = new Map();
    log = new MemoryLog();
    broker = new ServiceBroker({ nodeID: "d", logger: false, validator: false });
    Object.assign(fleetNodesOf(broker), { hosts: () => fleet });
    const call = (_name: string, params: Told, { nodeID }: { nodeID: string }) => {
      told.push([nodeID, params]);
      return (others.get(nodeID)?.() ?? Promise.resolve(answer(nodeID))).then((outcome) => ({ outcome }));
    };
    Object.assign(broker, { call });
    const host = {
      tell: (stream_id: string, _command: PurseCommand, identity: CommandIdentity, meta: object) => {
        told.push(["here", { stream_id, identity, meta }]);
        return Promise.resolve(answer("here"));
      },
    };
    actors = new PlacedActors({ broker, log }, host, KIND);
  });

  /** A stream whose actor belongs to the nodes in this order; this node is d. */
  const streamOf = (...order: string[]): string => {
    for (let n = 0; n < 10_000; n += 1)
      if (actors.where(`purse-${String(n)}`).join() === order.join()) return `purse-${String(n)}`;
    throw new Error(`No stream belongs to ${order.join()}.`);
  };
  const tell = (stream_id: string, identity: CommandIdentity = fresh()) => {
    const ctx = { meta: { command: identity, request_id: "r" } } as unknown as Ctx<unknown>;
    return actors.tell(ctx, stream_id, command);
  };
  const asked = (): string[] => told.map(([who]) => who);
  const fails = (error: Error) => () => Promise.reject(error);

  it("tell the owner, with the command's identity and whose it is", async () => {
    const identity = fresh();
    expect(await tell(streamOf("b", "a", "d", "c"), identity)).toEqual(answer("b"));
    expect(told[0]?.[1].identity).toEqual(identity);
    expect(told[0]?.[1].meta).toEqual({ actor: "system:purse", correlation_id: "r" });
    expect(placementsOf(broker).tally).toEqual({ locally: 0, remotely: 1, failed_over: 0 });
  });

  it("are decided here when this node is the owner", async () => {
    expect(await tell(streamOf("d", "a", "b", "c"))).toEqual(answer("here"));
    expect(asked()).toEqual(["here"]);
    expect(placementsOf(broker).tally).toEqual({ locally: 1, remotely: 0, failed_over: 0 });
  });

  it.each([[[]], [["d"]]])("are decided here when nobody else hosts them: %j", async (hosts: string[]) => {
    Object.assign(fleetNodesOf(broker), { hosts: () => hosts });
    await tell("purse-1");
    expect(asked()).toEqual(["here"]);
  });

  it("ask the next in order when one is silent, as a command that may have been done", async () => {
    const identity = fresh();
    others.set("b", fails(nodeSilent())).set("a", fails(nodeSilent()));
    expect(await tell(streamOf("b", "a", "c", "d"), identity)).toEqual(answer("c"));
    expect(asked()).toEqual(["b", "a", "c"]);
    expect(told.map(([, { identity: sent }]) => sent.fresh)).toEqual([true, undefined, undefined]);
    expect(new Set(told.map(([, { identity: sent }]) => sent.id))).toEqual(new Set([identity.id]));
    expect(placementsOf(broker).tally).toMatchObject({ remotely: 1, failed_over: 2 });
  });

  it("are decided here when nobody before this node answers", async () => {
    const key = keyed("print");
    others.set("b", fails(nodeSilent()));
    expect(await tell(streamOf("b", "d", "a", "c"), key)).toEqual(answer("here"));
    expect(told[1]?.[1].identity).toEqual(key);
  });

  it("pass over a node that is suspect", async () => {
    fleetNodesOf(broker).suspect("b");
    await tell(streamOf("b", "c", "a", "d"));
    expect(asked()).toEqual(["c"]);
  });

  it("give a node's own error to the caller, and ask nobody else", async () => {
    others.set("b", fails(new Error("a defect")));
    await expect(tell(streamOf("b", "a", "d", "c"))).rejects.toThrow("a defect");
    expect(asked()).toEqual(["b"]);
    expect(placementsOf(broker).tally).toMatchObject({ failed_over: 0 });
  });

  it("are decided here when the owner has lost the log and this node has not", async () => {
    others.set("b", fails(logAway()));
    expect(await tell(streamOf("b", "a", "c", "d"))).toEqual(answer("here"));
    expect(asked()).toEqual(["b", "here"]);
    expect(fleetNodesOf(broker).isSuspect("b")).toBe(true);
    expect(fleetNodesOf(broker).isSuspect("a")).toBe(false);
    expect(told[1]?.[1].identity.fresh).toBeUndefined();
  });

  it.each([
    ["cannot reach it either", () => Promise.reject(logAway())],
    ["does not hear from it in time", () => new Promise<never>(() => undefined)],
  ])("wait for the log with everybody when this node %s", async (_, head) => {
    others.set("b", fails(logAway()));
    log.head = head;
    await expect(tell(streamOf("b", "a", "c", "d"))).rejects.toMatchObject({ type: "log.unavailable" });
    expect(asked()).toEqual(["b"]);
    expect(fleetNodesOf(broker).isSuspect("b")).toBe(false);
  });

  it("are shown to operators in the order in which nodes are asked", () => {
    const stream_id = streamOf("c", "b", "d", "a");
    expect(placementsOf(broker).where(stream_id)).toEqual(["c", "b", "d", "a"]);
    expect(placementsOf(broker).where("order-1")).toBeUndefined();
  });
});
