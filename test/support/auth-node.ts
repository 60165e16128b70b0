import { randomBytes, randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import { uuidv7 } from "uuidv7";
import { MemoryTagCache } from "../../mixins/cache-tags/memory-tag-cache";
import { SYSTEM, type CallMeta, type Caller } from "../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../mixins/contract/contract";
import { act } from "../../mixins/contract/implement";
import { isRefusal, refusalOf, type Refusal } from "../../mixins/contract/refusal";
import type { EventFeed } from "../../mixins/event-feed/event-feed";
import { LogFeed } from "../../mixins/event-feed/log-feed";
import { createEventLog } from "../../mixins/event-log/postgres-event-log";
import type { Runtime } from "../../mixins/runtime";
import { openAuthRoom, type AuthRoom } from "../../services/auth/auth-room";
import { createAuthService } from "../../services/auth/auth.service";
import { createBranchService } from "../../services/branch/branch.service";
import { loadSettings } from "../../settings";
import type { TestDatabase } from "./postgres";
import { QuietLogger } from "./quiet-logger";

/** Passwords are hashed in a millisecond here. */
const CHEAP = { ln: 10, r: 8, p: 1 };

export interface Answered<R> {
  readonly result: R;
  readonly replayed: boolean;
  /** What the device is to carry from now on. */
  readonly device_token: string | undefined;
}

/** A node that runs branches and auth, on a clock of the test's own. Nodes on one database share the signing key. */
export class AuthNode {
  private constructor(
    private readonly clock: { ms: number },
    readonly runtime: Runtime,
    readonly room: AuthRoom,
    private readonly close: () => Promise<void>,
  ) {}

  /** @param through what the node's feed goes through, for tests that hold it up. */
  static async start(
    { connection, db, pool }: TestDatabase,
    env: Readonly<Record<string, string>> = {},
    through: (feed: EventFeed) => EventFeed = (feed) => feed,
  ): Promise<AuthNode> {
    const logger = new QuietLogger();
    const log = await createEventLog({ connection, logger });
    const broker = new ServiceBroker({ nodeID: `test-${randomUUID()}`, logger: false, validator: false });
    const clock = { ms: Date.parse("2026-03-02T12:00:00.000Z") };
    const ids = { uuid: () => uuidv7(), token: () => randomBytes(16).toString("base64url") };
    const settings = loadSettings({ JWT_SECRET: "a secret of the tests, long enough", ...env });
    const feed = through(new LogFeed({ log, logger }));
    const runtime: Runtime = {
      ...{ settings, broker, log, feed, db, pool, clock: { now: () => clock.ms }, ids },
      cache: new MemoryTagCache(),
    };
    const room = await openAuthRoom(runtime, CHEAP);
    broker.createService(createBranchService(runtime));
    broker.createService(createAuthService(runtime, room));
    await broker.start();
    return new AuthNode(clock, runtime, room, async () => {
      await broker.stop();
      await room.close();
      await log.close();
    });
  }

  get now(): number {
    return this.clock.ms;
  }

  set now(ms: number) {
    this.clock.ms = ms;
  }

  async call<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    meta: CallMeta = {},
  ): Promise<ResultOf<C>> {
    return (await this.answer(contract, params, meta)).result;
  }

  /** With what the gateway would learn beside the result. */
  async answer<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    meta: CallMeta = {},
  ): Promise<Answered<ResultOf<C>>> {
    const called = act(this.runtime.broker, contract, params, { meta: { caller: SYSTEM, ...meta } });
    const result = await called;
    // Moleculer hangs the context on the promise; what the callee said beside its result is there.
    const { ctx } = called as { ctx?: { meta: CallMeta } };
    const { replayed, new_device_token: device_token } = ctx?.meta ?? {};
    return { result, replayed: replayed === true, device_token };
  }

  /** The refusal that a call ends with; fails when it succeeds. */
  async refusal<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    meta: CallMeta = {},
  ): Promise<Refusal> {
    try {
      await act(this.runtime.broker, contract, params, { meta: { caller: SYSTEM, ...meta } });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) return refusal;
      throw error;
    }
    throw new Error(`${contract.name} was not refused.`);
  }

  /** Whom a token stands for; its refusal's code when for nobody. */
  async whoIs(token: string): Promise<Caller | string> {
    const caller = await this.room.verifier.verify(token);
    return isRefusal(caller) ? caller.code : caller;
  }

  stop(): Promise<void> {
    return this.close();
  }
}

/** A command as the gateway makes it from a client's Idempotency-Key. */
export const keyed = (fingerprint = "same"): { command: { id: string; fingerprint: string } } => ({
  command: { id: randomUUID(), fingerprint },
});
