import { Strategies, type ActionSchema, type Context, type Endpoint, type Middleware } from "moleculer";
import type { CallMeta } from "../contract/caller";
import type { ActionContract } from "../contract/contract";
import { fleetNodesOf, type FleetNodes } from "./fleet-nodes";
import { isStopping, isUnreached, nodeSilent, nodeSlow } from "./unreached";

/** A call that takes so long makes one wonder whether its node still lives; asking costs one small packet a node. */
const WONDER_AFTER_MS = 250;
/** A little longer than rooms wait for a position (5 s), so that what they have to say of it arrives. */
const REMOTE_CALL_MS_MAX = 6_000;
/** Nodes that one call is tried on. */
const NODES_MAX = 3;

type RemoteContext = Context<unknown, CallMeta, { nodes_tried?: number }>;

/**
 * What calls to other nodes get, and local ones do not pay for: an end ({@link REMOTE_CALL_MS_MAX}, or the call's own
 * timeout), much sooner when the node gives no sign of life, and then another node, where the call may be repeated.
 */
export const remoteCalls: Middleware = {
  name: "remote-calls",
  remoteAction(next, action) {
    const fleet = fleetNodesOf(this);
    const send = next as (ctx: RemoteContext) => Promise<unknown>;
    return async (ctx: RemoteContext) => {
      const { nodeID } = ctx;
      if (nodeID === null) return send(ctx);
      try {
        return await answered(send(ctx), fleet, nodeID, ctx.options.timeout ?? 0);
      } catch (error) {
        if (isStopping(error)) fleet.suspect(nodeID);
        if (!isUnreached(error) || !mayGoElsewhere(action, ctx)) throw error;
        return callElsewhere(action, ctx);
      }
    };
  },
};

/** Calls go to nodes that answer, as long as there are any; among those, in turn. */
export class TrustedFirst extends Strategies.RoundRobin {
  override select(list: Endpoint[]): Endpoint {
    const fleet = fleetNodesOf(this.broker);
    const trusted = list.filter(({ id }) => !fleet.isSuspect(id));
    return super.select(trusted.length === 0 ? list : trusted);
  }
}

/** The answer of a node, or why there is none. A timeout of 0 is Moleculer's way of saying that the caller named none. */
function answered<T>(call: Promise<T>, fleet: FleetNodes, node_id: string, timeout_ms: number): Promise<T> {
  const limit_ms = timeout_ms > 0 ? timeout_ms : REMOTE_CALL_MS_MAX;
  return new Promise((resolve, reject) => {
    let settled = false;
    const slow = (): void => {
      reject(nodeSlow());
    };
    const wonder = async (): Promise<void> => {
      const begun_ms = performance.now();
      if (!(await fleet.answers(node_id))) reject(nodeSilent());
      else if (!settled)
        timer = setTimeout(slow, Math.max(0, limit_ms - WONDER_AFTER_MS - (performance.now() - begun_ms)));
    };
    let timer =
      limit_ms <= WONDER_AFTER_MS
        ? setTimeout(slow, limit_ms)
        : setTimeout(() => void wonder(), WONDER_AFTER_MS);
    call.then(resolve, reject).finally(() => {
      settled = true;
      clearTimeout(timer);
    });
  });
}

/** A call to a certain node is its caller's to repeat. A command without an identity could be done twice. */
function mayGoElsewhere(action: ActionSchema, ctx: RemoteContext): boolean {
  if (ctx.options.nodeID !== undefined || (ctx.locals.nodes_tried ?? 1) >= NODES_MAX) return false;
  return (action as Partial<ActionContract>).kind === "query" || ctx.meta.command !== undefined;
}

function callElsewhere(action: ActionSchema, ctx: RemoteContext): Promise<unknown> {
  ctx.locals.nodes_tried = (ctx.locals.nodes_tried ?? 1) + 1;
  // An answer that comes after all is nobody's any more.
  ctx.broker.transit?.removePendingRequest(ctx.id);
  const { command } = ctx.meta;
  // It may have been done: from now on an earlier answer can exist.
  if (command !== undefined) ctx.meta.command = { id: command.id, fingerprint: command.fingerprint };

  return ctx.broker.call(action.name ?? "", ctx.params, { ctx: ctx.copy() });
}
