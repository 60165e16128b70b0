import { randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import type { Caller } from "../../../../../mixins/contract/caller";
import { channelsOf } from "../../../../../mixins/messaging/channels";
import { compileSubscription } from "../../../../../mixins/messaging/subscription-filter";
import type { CompiledSubscription } from "../../../../../mixins/messaging/subscription-filter";
import { Metrics } from "../../../../../mixins/metrics/metrics";
import { CLOSE, type CloseReason } from "../../../../../services/gateway/socket/close-reasons";
import { placeLimits, Places } from "../../../../../services/gateway/places";
import { SUBSCRIPTION_DOOR } from "../../../../../services/gateway/socket/doors";
import { Outbox } from "../../../../../services/gateway/socket/outbox";
import type { SessionContext } from "../../../../../services/gateway/socket/session";
import { SOCKET_LIMITS } from "../../../../../services/gateway/socket/socket-limits";
import { SocketCounters } from "../../../../../services/gateway/socket/socket-metrics";
import { SubscriptionHub } from "../../../../../services/gateway/socket/subscription-hub";
import { SubscriptionSession } from "../../../../../services/gateway/socket/subscription-session";
import { SUBSCRIPTIONS } from "../../../../../services/gateway/socket/subscriptions";
import { loadSettings } from "../../../../../settings";
import { eventually } from "../../../../support/eventually";
import { TestVerifier } from "../../../../support/socket-node";

const HEAD: Caller = { role: "super_admin", user_id: randomUUID(), branch_ids: null };
const CAMERA_EVENTS = SUBSCRIPTIONS[0] as (typeof SUBSCRIPTIONS)[number];

describe("subscriptions of one node", () => {
  const broker = new ServiceBroker({ nodeID: "hub", logger: false, skipProcessEventRegistration: true });
  const counters = new SocketCounters(new Metrics());
  const hub = new SubscriptionHub({ broker }, SUBSCRIPTIONS, counters);
  beforeAll(async () => {
    await broker.start();
    await hub.start();
  });
  afterAll(async () => {
    await hub.stop();
    await broker.stop();
  });
  const publish = (message: object): Promise<void> =>
    channelsOf({ broker }).publish("camera.events", message);

  /** A connection whose client takes nothing. */
  function stalled() {
    const [sent, closed]: [string[], CloseReason[]] = [[], []];
    const connection = {
      send: ({ text }: { text: string }) => void sent.push(text),
      close: (reason: CloseReason) => void closed.push(reason),
    };
    return { connection, sent, closed };
  }

  /** A session of somebody who is not let in yet. */
  function arriving() {
    const clock = { now: () => Date.now() };
    const verifier = new TestVerifier(clock);
    const runtime = { broker, clock, ids: { uuid: randomUUID } } as unknown as SessionContext["runtime"];
    const context = { runtime, verifier, limits: SOCKET_LIMITS, counters, sessions: new Set<never>() };
    const { connection, sent, closed } = stalled();
    const place = new Places(placeLimits(loadSettings({}))).enter("192.0.2.1", () => undefined);
    const session = new SubscriptionSession(SUBSCRIPTION_DOOR, connection, context, hub, place);
    return { session, verifier, sent, closed };
  }

  it("a message lets others have their turn while it asks those whom it does not concern", async () => {
    const request = { filters: { event_type__icontains: "tamper" } };
    const compiled = compileSubscription(CAMERA_EVENTS, request, HEAD) as CompiledSubscription;
    const client = new Outbox(stalled().connection, SOCKET_LIMITS, counters);
    let turn = 0;
    const asked: number[] = [];
    const matches: CompiledSubscription["matches"] = (row) => {
      asked.push(turn);
      return compiled.matches(row);
    };
    const subscriptions = Array.from({ length: 9_000 }, (_, n) => ({
      ...{ definition: CAMERA_EVENTS, id: String(n), named: true, client, ended: false },
      ...{ request, compiled: { ...compiled, matches } },
    }));
    for (const each of subscriptions) hub.add(each);
    await publish({ event_type: "motion" });
    for (; asked.length < 9_000; turn++) await new Promise(setImmediate);
    expect(new Set(asked).size).toBeGreaterThanOrEqual(3);
    for (const each of subscriptions) hub.remove(each);
  });

  it("a subscriber that takes nothing holds half a megabyte of frames of its own at most", async () => {
    const { session, verifier, sent, closed } = arriving();
    session.open(verifier.issue("super_admin", HEAD));
    session.receive({ type: "subscribe", id: "mine", payload: { CameraEvents: {} } });
    await eventually(() => {
      expect(sent.at(-1)).toContain('"subscribed"');
    });
    const data = { note: "x".repeat(30_000) };
    for (let n = 0; n < 60; n++) await publish({ event_type: "motion", data });
    await eventually(() => {
      expect(closed).toEqual([{ code: 4413, reason: "socket.slow_consumer" }]);
    });
    expect(sent.join("").length).toBeLessThanOrEqual(512 * 1024);
    expect(sent.length).toBeGreaterThan(15);
    session.ended();
  });

  it("a frame that cannot even be read costs its own session alone, admitted or not", async () => {
    const unreadable = (): object =>
      Object.defineProperty({}, "type", {
        enumerable: true,
        get: () => {
          throw new RangeError("Maximum call stack size exceeded");
        },
      });
    const [stranger, member] = [arriving(), arriving()];
    stranger.session.receive(unreadable());
    member.session.open(member.verifier.issue("super_admin", HEAD));
    member.session.receive(unreadable());
    await eventually(() => {
      expect(stranger.closed).toEqual([CLOSE.unavailable]);
      expect(member.sent.at(-1)).toContain('"internal"');
    });
    expect(member.closed).toEqual([]);
    for (const { session } of [stranger, member]) session.ended();
  });
});
