import type { Metadata, sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import { Metadata as Trailers, status } from "@grpc/grpc-js";
import { type CallMeta, type Caller } from "../../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../../mixins/contract/contract";
import { act } from "../../../mixins/contract/implement";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import type { Runtime } from "../../../mixins/runtime";
import type { CallLimits } from "../call-limits";
import type { ClientAddressOf } from "../http/client-address";
import { callerOfRequest } from "../http/identity";
import { commandIdentity } from "../http/idempotency";
import { addressKey } from "../http/rate-limit";
import { guestTokenOf, keyHolder, type KeyHolder } from "../key-holder";
import { failureOf, type Failure } from "./grpc-status";

/** The members of a server call that all kinds of call have. */
export interface AnyCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getPeer(): string;
  getDeadline(): Date | number;
}

/** One call from outside: who asks, and how actions are called for them. */
export class GrpcCall {
  #new_guest_token: string | undefined;

  constructor(
    private readonly context: Pick<GrpcContext, "addressOf" | "limits"> & {
      readonly runtime: Pick<Runtime, "broker">;
    },
    private readonly call: AnyCall,
    readonly caller: Caller,
    readonly request_id: string,
  ) {}

  /** What a client is counted by. */
  get address(): string {
    return addressOfCall(this.context, this.call);
  }

  /** What a guest is to send from now on as `guest-token`, where the call carried nothing to be known again by. */
  get new_guest_token(): string | undefined {
    return this.#new_guest_token;
  }

  /**
   * Calls an action on the client's behalf, within its deadline and the limits of all ways in. `replayed`: the answer had been
   * given before.
   */
  async act<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
  ): Promise<{ result: ResultOf<C>; replayed: boolean }> {
    const { caller, request_id, address } = this;
    await this.context.limits.count({ contract, caller, address });
    const meta: CallMeta = { caller, request_id, client_address: address };
    if (contract.kind === "command") {
      const key = textOf(this.call.metadata, "idempotency-key");
      meta.command = commandIdentity(key, (sent) => this.#holderOf(sent, contract), contract.name, params);
    }
    const timeout = msLeft(this.call.getDeadline());
    const result = await act(
      this.context.runtime.broker,
      contract,
      params,
      timeout === undefined ? { meta } : { meta, timeout },
    );
    return { result, replayed: meta.replayed === true };
  }

  /** @throws RefusedError `guest.bad_token` */
  #holderOf(key: string, contract: ActionContract): KeyHolder {
    const guest_token = guestTokenOf(textOf(this.call.metadata, "guest-token"));
    const holder = keyHolder(key, this.caller, contract, { guest_token });
    this.#new_guest_token = holder.new_guest_token;
    return holder;
  }
}

/** How a method reads its request and answers; everything around it is in {@link unary}. */
export type Method<Q, A> = (call: GrpcCall, request: Q) => Promise<{ answer: A; replayed?: boolean }>;

/** What all calls need of the node. */
export interface GrpcContext {
  readonly runtime: Pick<Runtime, "broker" | "ids" | "clock" | "log" | "settings">;
  readonly verifier: TokenVerifier;
  readonly addressOf: ClientAddressOf;
  readonly limits: CallLimits;
}

/** Opens a call: reads who asks. @throws RefusedError (unauthorized) */
export async function openCall(context: GrpcContext, call: AnyCall, request_id: string): Promise<GrpcCall> {
  const caller = await callerOfRequest(textOf(call.metadata, "authorization"), context.verifier);
  return new GrpcCall(context, call, caller, request_id);
}

/** A unary method as grpc-js wants it: identity before, status after. */
export function unary<Q, A>(context: GrpcContext, method: Method<Q, A>) {
  return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
    const request_id = context.runtime.ids.uuid();
    let opened: GrpcCall | undefined;
    const answer = async (): Promise<void> => {
      opened = await openCall(context, call, request_id);
      // Nobody would hear the answer, so the command need not be given.
      if (call.cancelled) return;
      const { answer, replayed } = await method(opened, call.request);
      const headers = new Trailers();
      headers.set("request-id", request_id);
      if (replayed === true) headers.set("idempotent-replay", "true");
      tellToken(opened, headers);
      call.sendMetadata(headers);
      callback(null, answer);
    };
    answer().catch((error: unknown) => {
      const { kind, answer: failure } = report(context, call.getPath(), error, request_id);
      tellToken(opened, failure.metadata);
      // Its own time is over: whichever of the two notices first, the client hears the same.
      const late = kind === "fault" && isOver(call.getDeadline());
      callback(late ? { ...failure, code: status.DEADLINE_EXCEEDED } : failure);
    });
  };
}

function tellToken(opened: GrpcCall | undefined, metadata: Metadata): void {
  if (opened?.new_guest_token !== undefined) metadata.set("guest-token", opened.new_guest_token);
}

/** Turns an error into its answer, and logs what the client is not told. */
export function report({ runtime }: GrpcContext, path: string, error: unknown, request_id: string): Failure {
  const failure = failureOf(error, request_id);
  const { logger } = runtime.broker;
  if (failure.kind === "defect") logger.error(`Defect in ${path} (request ${request_id}):`, error);
  if (failure.kind === "fault") logger.warn(`Fault in ${path} (request ${request_id}): ${String(error)}`);
  return failure;
}

/** The last value of a text metadata key. */
export function textOf(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key).at(-1);
  return value === undefined ? undefined : value.toString();
}

function msLeft(deadline: Date | number): number | undefined {
  const left_ms = untilDeadline(deadline);
  return Number.isFinite(left_ms) ? Math.max(1, Math.ceil(left_ms)) : undefined;
}

const isOver = (deadline: Date | number): boolean => untilDeadline(deadline) < 1;

/** Milliseconds; infinite without a deadline. */
function untilDeadline(deadline: Date | number): number {
  const at = typeof deadline === "number" ? deadline : deadline.getTime();
  // eslint-disable-next-line no-restricted-syntax -- grpc-js made a moment of the time left, by this clock
  return at - Date.now();
}

/** What a client is counted by. */
export function addressOfCall({ addressOf }: Pick<GrpcContext, "addressOf">, call: AnyCall): string {
  const forwarded = call.metadata.get("x-forwarded-for").map(String);
  return addressKey(addressOf(addressOfPeer(call.getPeer()), forwarded));
}

/** `127.0.0.1:5023` → `127.0.0.1`, `::1:5023` → `::1`. */
function addressOfPeer(peer: string): string {
  return peer.replace(/:\d+$/, "");
}
