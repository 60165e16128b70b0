import type { Caller } from "../../mixins/contract/caller";
import type { ActionContract } from "../../mixins/contract/contract";
import { RefusedError, refuse } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import type { Settings } from "../../settings";
import { rateLimits, type TakesTokens } from "./http/rate-limit-redis";

/** A call as limits see it. */
export interface LimitedCall {
  readonly contract: Pick<ActionContract, "name" | "kind" | "rate_per_minute">;
  readonly caller: Pick<Caller, "role" | "user_id">;
  /** What a guest is counted by. */
  readonly address: string;
  /** False: a guest at a machines' endpoint with a key that has proved nothing yet, or none. */
  readonly trusted?: boolean;
}

type WriteLimits = Pick<
  Settings,
  "GUEST_WRITES_PER_MINUTE" | "CUSTOMER_WRITES_PER_MINUTE" | "STAFF_WRITES_PER_MINUTE"
>;

/** So many a minute, under this name. */
interface Bucket {
  readonly key: string;
  readonly per_minute: number;
}

/**
 * What a call is counted in; undefined: it may be made as often as one likes. Who is signed in is counted by account, wherever
 * they come from, guests by address. An operation with a rate of its own is counted by itself, whichever way it is asked for;
 * all other writes of one caller are counted together.
 */
export function bucketOf(
  { contract, caller, address, trusted = true }: LimitedCall,
  limits: WriteLimits,
): Bucket | undefined {
  const { role, user_id } = caller;
  const who = user_id ?? address;
  const { rate_per_minute } = contract;
  if (role === "system") return undefined;
  if (trusted && rate_per_minute !== undefined)
    return { key: `${contract.name} ${who}`, per_minute: rate_per_minute };
  if (trusted && contract.kind === "query") return undefined;
  const per_minute =
    role === "guest"
      ? limits.GUEST_WRITES_PER_MINUTE
      : role === "customer"
        ? limits.CUSTOMER_WRITES_PER_MINUTE
        : limits.STAFF_WRITES_PER_MINUTE;
  return per_minute === 0 ? undefined : { key: `writes ${who}`, per_minute };
}

/** The limits of all ways into a node: who is told to wait over REST need not try gRPC. */
export class CallLimits {
  constructor(
    private readonly settings: WriteLimits,
    private readonly tokens: TakesTokens | undefined,
  ) {}

  /** Counts a call. @throws RefusedError `rate.limited` when it is one too many */
  async count(call: LimitedCall): Promise<void> {
    const bucket = this.tokens === undefined ? undefined : bucketOf(call, this.settings);
    if (bucket === undefined || this.tokens === undefined) return;
    const wait_s = await this.tokens.take(bucket.key, bucket.per_minute);
    if (wait_s > 0)
      throw new RefusedError(
        refuse("rate_limited", "rate.limited", "Too many requests; wait as long as Retry-After says.", {
          retry_after_s: Math.ceil(wait_s),
        }),
      );
  }
}

const nodes = new WeakMap<object, CallLimits>();

/** The one set of limits of a node; it counts nothing where limits are switched off. */
export function callLimitsOf(runtime: Pick<Runtime, "broker" | "clock" | "settings" | "redis">): CallLimits {
  const known = nodes.get(runtime.broker);
  if (known !== undefined) return known;
  const made = new CallLimits(runtime.settings, rateLimits(runtime, "calls"));
  nodes.set(runtime.broker, made);
  return made;
}
