import type { Caller } from "../../../mixins/contract/caller";
import { faultOf } from "../../../mixins/contract/fault";
import { isRefusal, type Refusal } from "../../../mixins/contract/refusal";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import type { Runtime } from "../../../mixins/runtime";
import type { Place } from "../places";
import { admit, sameRights, type Identity } from "./admission";
import { BINARY_FRAME, readTextFrame, type FrameReader, type Wish } from "./client-frame";
import { CLOSE, closeReasonOf } from "./close-reasons";
import { takesGuests, type Door } from "./doors";
import type { Connection, Outbox } from "./outbox";
import type { SocketLimits } from "./socket-limits";
import type { SocketCounters } from "./socket-metrics";

/** What all sessions of a node share. */
export interface SessionContext {
  readonly runtime: Pick<Runtime, "broker" | "clock" | "ids">;
  readonly verifier: TokenVerifier;
  readonly limits: SocketLimits;
  readonly counters: SocketCounters;
  readonly sessions: Set<Session>;
}

/** A door, and what one finds behind it. */
export interface Entrance {
  readonly door: Door;
  open(wish: Wish, connection: Connection, place: Place): Session;
}

/** A frame that brings a token; what else there is, the kind of session says. */
interface AuthFrame {
  readonly type: "auth";
  readonly token: string;
}
interface OtherFrame {
  readonly type: string;
}

/** What a client is told of a thing that went wrong; its connection stays. */
export type Complaint = Pick<Refusal, "code" | "detail" | "data">;

/**
 * One connection from its first frame to its last, whichever way it came in and whatever it is for:
 * *unknown* (waiting for a token, for so long) → *admitted* → *ended*.
 */
export abstract class Session<F extends OtherFrame = OtherFrame, O extends Outbox = Outbox> {
  readonly #opened_ms: number;
  readonly #refill: { tokens: number; at_ms: number };
  #identity: Identity | undefined;
  #work: Promise<void> = Promise.resolve();

  protected constructor(
    readonly door: Door,
    readonly client: O,
    private readonly shared: SessionContext,
    private readonly place: Place,
  ) {
    const { limits, counters, runtime, sessions } = shared;
    this.#opened_ms = runtime.clock.now();
    this.#refill = { tokens: limits.frames_burst, at_ms: this.#opened_ms };
    sessions.add(this);
    counters.joined(door.audience, 1);
  }

  /** Checks what came in as a frame. */
  protected abstract readonly read: FrameReader<AuthFrame | F>;
  /** Lets somebody in who was nobody so far; `admitted` is called in it as soon as frames may count on it. */
  protected abstract enter(identity: Identity): Promise<void> | void;
  /** Another token of the same user (or of a guest's) says other things than the one before. */
  protected abstract rightsChanged(before: Caller, now: Caller): void;
  protected abstract handle(frame: F): Promise<void> | void;
  protected abstract tellAuthenticated(caller: Caller): void;
  protected abstract complain(complaint: Complaint): void;
  protected abstract leave(): void;

  /** Who is let in; undefined before. */
  protected get caller(): Caller | undefined {
    return this.#identity?.caller;
  }

  protected admitted(identity: Identity): void {
    this.#identity = identity;
  }

  /** Starts a session whose credentials have been checked. */
  begin(identity: Identity): void {
    this.#enqueue(() => this.enter(identity));
  }

  /** Starts a session with the token that the connection brought, if any; staff without one may still send it. */
  open(token: string | undefined): void {
    if (token !== undefined || takesGuests(this.door)) this.#enqueue(() => this.#authenticate(token));
  }

  /** Takes a frame; frames are handled one after the other. */
  receive(frame: unknown): void {
    this.#receive(() => this.read(frame));
  }

  /** Takes a text frame of a plain WebSocket. */
  receiveText(text: string): void {
    this.#receive(() => readTextFrame(text, this.read));
  }

  receiveBinary(): void {
    this.#receive(() => BINARY_FRAME);
  }

  /** The connection is gone. */
  ended(): void {
    if (!this.shared.sessions.delete(this)) return;
    this.shared.counters.joined(this.door.audience, -1);
    this.place.leave();
    this.client.gone();
    this.leave();
  }

  /** Ends a session that has waited too long for a token, or whose token has expired or was revoked. */
  async review(): Promise<void> {
    const { limits, runtime, verifier } = this.shared;
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

  protected failed(error: unknown): void {
    const fault = faultOf(error);
    if (fault === undefined) this.shared.runtime.broker.logger.error("sockets: a session failed", error);
    if (this.#identity === undefined) this.client.close(CLOSE.unavailable);
    else this.complain(fault ?? { code: "internal", detail: "Something broke on our side; it was logged." });
  }

  #receive(read: () => AuthFrame | F | Refusal): void {
    this.shared.counters.frames_received.inc();
    if (!this.#mayTalk()) {
      this.client.close(CLOSE.tooManyFrames);
      return;
    }
    // Read where a failure is this session's: out of the connection's own listener it would end the process.
    this.#enqueue(() => this.#handle(read()));
  }

  #enqueue(task: () => Promise<void> | void): void {
    this.#work = this.#work.then(async () => {
      if (this.client.closed) return;
      try {
        await task();
      } catch (error) {
        this.failed(error);
      }
    });
  }

  async #handle(frame: AuthFrame | F | Refusal): Promise<void> {
    if (isRefusal(frame)) {
      this.shared.counters.frames_rotten.inc();
      this.complain(frame);
    } else if (isAuth(frame)) {
      await this.#authenticate(frame.token);
    } else {
      await this.handle(frame);
    }
  }

  async #authenticate(token: string | undefined): Promise<void> {
    const identity = await admit(this.door, token, this.shared.verifier);
    if (isRefusal(identity)) {
      this.shared.counters.refused.inc();
      this.client.close(closeReasonOf(identity));
      return;
    }
    if (this.#identity === undefined) {
      if (this.place.seat(identity.caller)) return this.enter(identity);
      this.shared.counters.refused.inc();
      this.client.close(CLOSE.tooManyConnections);
      return;
    }
    const { caller } = this.#identity;
    if (caller.user_id !== null && caller.user_id !== identity.caller.user_id) {
      this.complain({ code: "auth.other_user", detail: "This connection is somebody else's; open another." });
      return;
    }
    if (!this.place.seat(identity.caller)) {
      this.complain({
        code: CLOSE.tooManyConnections.reason,
        detail: "Too many connections; close some first.",
      });
      return;
    }
    this.#identity = identity;
    this.tellAuthenticated(identity.caller);
    if (!sameRights(caller, identity.caller)) this.rightsChanged(caller, identity.caller);
  }

  /** A token bucket: `frames_burst` at once, `frames_per_s` on. */
  #mayTalk(): boolean {
    const { limits, runtime } = this.shared;
    const now = runtime.clock.now();
    const refilled = this.#refill.tokens + ((now - this.#refill.at_ms) / 1000) * limits.frames_per_s;
    this.#refill.tokens = Math.min(limits.frames_burst, refilled) - 1;
    this.#refill.at_ms = now;
    return this.#refill.tokens >= 0;
  }
}

function isAuth(frame: AuthFrame | OtherFrame): frame is AuthFrame {
  return frame.type === "auth";
}
