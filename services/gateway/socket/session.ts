import { GUEST, type Caller } from "../../../mixins/contract/caller";
import { faultOf } from "../../../mixins/contract/fault";
import { act } from "../../../mixins/contract/implement";
import { isRefusal, refuse, refusalOf, type Refusal } from "../../../mixins/contract/refusal";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import type { Runtime } from "../../../mixins/runtime";
import { trackOrder } from "../../order/order.contract";
import { admit, sameRights, type Identity } from "./admission";
import { Client, type Connection } from "./client";
import type { ClientFrame, Wish } from "./client-frame";
import { CLOSE, closeReasonOf } from "./close-reasons";
import { takesGuests, type Door } from "./doors";
import type { SocketHub } from "./hub";
import type { SocketLimits } from "./socket-limits";
import type { SocketCounters } from "./socket-metrics";

/** What all sessions of a node share. */
export interface SessionContext {
  readonly runtime: Pick<Runtime, "broker" | "clock" | "ids">;
  readonly hub: SocketHub;
  readonly verifier: TokenVerifier;
  readonly limits: SocketLimits;
  readonly counters: SocketCounters;
  readonly sessions: Set<Session>;
}

/**
 * One connection from its first frame to its last, whichever way it came in:
 * *unknown* (waiting for a token, for so long) → *admitted* (in the hub) → *ended*.
 */
export class Session {
  readonly client: Client;
  readonly #opened_ms: number;
  readonly #refill: { tokens: number; at_ms: number };
  #identity: Identity | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(
    readonly door: Door,
    private readonly wish: Wish,
    connection: Connection,
    private readonly context: SessionContext,
  ) {
    const { limits, counters, runtime, hub, sessions } = context;
    this.client = new Client(door.audience, GUEST, connection, limits, counters);
    this.client.position = wish.after ?? hub.position;
    this.#opened_ms = runtime.clock.now();
    this.#refill = { tokens: limits.frames_burst, at_ms: this.#opened_ms };
    sessions.add(this);
    counters.clients[door.audience]++;
  }

  /** Starts a session whose credentials have been checked. */
  begin(identity: Identity): void {
    this.#enqueue(() => this.#enter(identity));
  }

  /** Starts a session with the token that the connection brought, if any; staff without one may still send it. */
  open(token: string | undefined): void {
    if (token !== undefined || takesGuests(this.door)) this.#enqueue(() => this.#authenticate(token));
  }

  /** Takes a frame, or what was wrong with it; frames are handled one after the other. */
  receive(frame: ClientFrame | Refusal): void {
    this.context.counters.frames_received.inc();
    if (!this.#mayTalk()) {
      this.client.close(CLOSE.tooManyFrames);
      return;
    }
    this.#enqueue(() => this.#handle(frame));
  }

  /** The connection is gone. */
  ended(): void {
    if (!this.context.sessions.delete(this)) return;
    this.context.counters.clients[this.door.audience]--;
    this.context.hub.leave(this.client);
  }

  /** Ends a session that has waited too long for a token, or whose token has expired or was revoked. */
  async review(): Promise<void> {
    const { limits, runtime, verifier } = this.context;
    if (this.client.closed) return;
    if (this.#identity === undefined) {
      if (runtime.clock.now() - this.#opened_ms >= limits.auth_ms_max) this.client.close(CLOSE.authTimeout);
      return;
    }
    const { token } = this.#identity;
    if (token === undefined) return;
    const caller = await verifier.verify(token);
    // Meanwhile the client may have brought a new one.
    if (isRefusal(caller) && this.#identity.token === token) this.client.close(closeReasonOf(caller));
  }

  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.client.closed) return;
      try {
        await task();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #failed(error: unknown): void {
    const fault = faultOf(error);
    if (fault === undefined) this.context.runtime.broker.logger.error("sockets: a session failed", error);
    if (this.#identity === undefined) this.client.close(CLOSE.unavailable);
    else this.#complain(fault ?? { code: "internal", detail: "Something broke on our side; it was logged." });
  }

  async #handle(frame: ClientFrame | Refusal): Promise<void> {
    if (isRefusal(frame)) {
      this.context.counters.frames_rotten.inc();
      this.#complain(frame);
      return;
    }
    switch (frame.type) {
      case "auth":
        return this.#authenticate(frame.token);
      case "track":
        return this.#track(frame);
      case "ping": {
        this.context.hub.tell(this.client, "pong", {});
        return;
      }
    }
  }

  async #authenticate(token: string | undefined): Promise<void> {
    const identity = await admit(this.door, token, this.context.verifier);
    if (isRefusal(identity)) {
      this.context.counters.refused.inc();
      this.client.close(closeReasonOf(identity));
      return;
    }
    if (this.#identity === undefined) return this.#enter(identity);
    const { caller } = this.#identity;
    if (caller.user_id !== null && caller.user_id !== identity.caller.user_id) {
      this.#complain({
        code: "auth.other_user",
        detail: "This connection is somebody else's; open another.",
      });
      return;
    }
    this.#identity = identity;
    this.context.hub.tell(this.client, "authenticated", { role: identity.caller.role });
    if (sameRights(caller, identity.caller)) return;
    const after = caller.user_id === null ? this.wish.after : undefined;
    this.#goOn(this.context.hub.reenter(this.client, after, () => this.client.become(identity.caller)));
  }

  async #enter(identity: Identity): Promise<void> {
    const { hub, counters } = this.context;
    this.client.become(identity.caller);
    const orders = await Promise.all(
      this.wish.track.map((token) => this.#orderOf(token, identity.caller, this.wish.after)),
    );
    if (this.client.closed) return;
    this.#identity = identity;
    for (const order of orders) {
      if (typeof order === "string") this.client.track(order);
      else {
        counters.refused.inc();
        this.#complain(order);
      }
    }
    this.#goOn(hub.enter(this.client, this.wish.after));
  }

  /** Catching up takes as long as the client takes to read; its frames are answered meanwhile. */
  #goOn(catchingUp: Promise<void>): void {
    catchingUp.catch((error: unknown) => {
      this.#failed(error);
      this.client.close(CLOSE.unavailable);
    });
  }

  async #track({ token, after }: { token: string; after?: number }): Promise<void> {
    if (this.#identity === undefined) {
      this.#complain({ code: "auth.required", detail: "Sign in first." });
      return;
    }
    const { hub, limits } = this.context;
    if (this.client.tracked_orders.size >= limits.tracked_max) {
      this.#complain({ code: "track.too_many", detail: `At most ${limits.tracked_max} orders.` });
      return;
    }
    const order = await this.#orderOf(token, this.#identity.caller, after);
    if (typeof order !== "string") {
      this.#complain(order);
      return;
    }
    hub.change(this.client, () => this.client.track(order));
    hub.tell(this.client, "tracked", { order_id: order });
  }

  /** The order that a tracking token stands for; `after` is the position of its placement, where the client knows it. */
  async #orderOf(token: string, caller: Caller, after?: number): Promise<string | Refusal> {
    if (this.door.audience !== "shop")
      return refuse("forbidden", "track.shop_only", "Only the shop tracks by token.");
    const { broker, ids } = this.context.runtime;
    try {
      const params = after === undefined ? { token } : { token, after };
      const order = await act(broker, trackOrder, params, { meta: { caller, request_id: ids.uuid() } });
      return order.order_id;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusal;
    }
  }

  #complain({ code, detail, data }: Pick<Refusal, "code" | "detail" | "data">): void {
    this.context.hub.tell(this.client, "error", { ...data, code, detail });
  }

  /** A token bucket: `frames_burst` at once, `frames_per_s` on. */
  #mayTalk(): boolean {
    const { limits, runtime } = this.context;
    const now = runtime.clock.now();
    const refilled = this.#refill.tokens + ((now - this.#refill.at_ms) / 1000) * limits.frames_per_s;
    this.#refill.tokens = Math.min(limits.frames_burst, refilled) - 1;
    this.#refill.at_ms = now;
    return this.#refill.tokens >= 0;
  }
}
