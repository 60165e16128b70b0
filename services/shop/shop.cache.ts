import type { ServiceSchema } from "moleculer";
import { cacheRulesOf } from "../../mixins/cache-tags/cache-rules";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import { faultOf } from "../../mixins/contract/fault";
import { act, callerOf, commandOf, implement, implementCommand } from "../../mixins/contract/implement";
import { changeRows } from "../../mixins/crud/row-change";
import { metricsOf } from "../../mixins/metrics/metrics";
import type { ResultOf } from "../../mixins/contract/contract";
import type { Runtime } from "../../mixins/runtime";
import { fleetNodesOf } from "../../mixins/transport/fleet-nodes";
import { activeSales, shopSales } from "../menu/menu-offer.contract";
import { getProfile } from "../profile/profile.contract";
import { nodeCache } from "../ops/ops.contract";
import { CACHE_NAMES, cacheStatus, invalidateCache, type CacheName } from "./cache.contract";
import type { CacheInvalidated } from "./shop.events";
import { bestsellers, recommendations } from "./shop.contract";

/** The actions whose answers each name stands for. Every kept answer carries a tag that is named like its action. */
const ACTIONS: Readonly<Record<CacheName, readonly string[]>> = {
  bestsellers: [bestsellers.name],
  recommendations: [recommendations.name],
  "flash-sales": [activeSales.name, shopSales.name],
  profile: [getProfile.name],
};
/** An operator does not wait longer for a node; one that lives answers within milliseconds. */
const NODE_ANSWERS_MS = 1_000;

type Status = ResultOf<typeof cacheStatus>;
type NodeFigures = ResultOf<typeof nodeCache>;

/** What the desk sees of the shop's caches, and may do to them. */
export function cacheActions(runtime: Runtime): NonNullable<ServiceSchema["actions"]> {
  const { broker, clock, log, ids } = runtime;
  const invalidated = metricsOf(broker).counter(
    "forno_shop_cache_invalidations_total",
    "Times that a cache of the shop was ended by hand, by its name.",
    ["name"],
  );
  return {
    cache_status: implement(cacheStatus, async () => statusOf(await figuresOfNodes(runtime))),
    cache_invalidate: implementCommand(log, invalidateCache, {
      async run(ctx) {
        const { name } = ctx.params;
        const names = name === "all" ? CACHE_NAMES : [name];
        // First: nobody hears that it is done before it is. Done twice it does no harm.
        await end(runtime, names);
        const at = new Date(clock.now()).toISOString();
        const data = { names, node_id: broker.nodeID, by: callerOf(ctx).user_id, at };
        const outcome = await changeRows(runtime, commandOf(ctx), () => {
          const event: CacheInvalidated = { type: "cache.invalidated", data };
          const stream = { stream_id: `cache-${ids.uuid()}`, stream_type: "cache", expected_version: 0 };
          const streams = [{ ...stream, events: [event] }];
          return Promise.resolve({ streams, answer: data, meta: eventMetaOf(ctx, "shop") });
        });
        for (const each of names) invalidated.inc({ name: each });
        return outcome;
      },
      respond(answer, position) {
        const { names, at } = answer as { names: CacheName[]; at: string };
        return { message: `Ended on every node: ${names.join(", ")}.`, invalidated: names, at, position };
      },
    }),
  };
}

async function end(
  { broker, cache, clock }: Pick<Runtime, "broker" | "cache" | "clock">,
  names: readonly CacheName[],
): Promise<void> {
  const actions = names.flatMap((name) => ACTIONS[name]);
  await cache.invalidateTags(...actions);
  cacheRulesOf(broker).ended(actions, clock.now());
}

/** Nodes that each have a cache of their own hear from the log what was ended by hand on another one. Resolves with "stop". */
export async function followInvalidations(
  runtime: Pick<Runtime, "broker" | "cache" | "clock" | "feed" | "log">,
): Promise<() => Promise<void>> {
  const { broker, cache, feed, log } = runtime;
  if (cache.scope === "chain") return () => Promise.resolve();
  const handle = feed.subscribe({
    name: "shop:cache",
    after: await log.head(),
    async onBatch(events) {
      const elsewhere = events
        .filter(({ type }) => type === ("cache.invalidated" satisfies CacheInvalidated["type"]))
        .map(({ data }) => data as CacheInvalidated["data"])
        .filter(({ node_id }) => node_id !== broker.nodeID);
      const names = new Set(elsewhere.flatMap((data) => data.names));
      if (names.size > 0) await end(runtime, [...names]);
    },
    // Whoever follows the events of kept answers has ended all of them then.
    wentBack: () => log.head(),
  });
  return () => handle.stop();
}

interface NodeAnswer {
  readonly node_id: string;
  /** undefined: it did not answer in time. */
  readonly figures: NodeFigures | undefined;
}

/** What every live node knows; each has counted for itself. */
async function figuresOfNodes({ broker }: Pick<Runtime, "broker">): Promise<NodeAnswer[]> {
  const nodes = [...fleetNodesOf(broker).hosts(nodeCache.name)].sort();
  return Promise.all(
    nodes.map(async (node_id) => {
      try {
        const options = { nodeID: node_id, timeout: NODE_ANSWERS_MS };
        return { node_id, figures: await act(broker, nodeCache, {}, options) };
      } catch (error) {
        if (faultOf(error) === undefined) throw error;
        return { node_id, figures: undefined };
      }
    }),
  );
}

/** The figures of all nodes as one. */
export function statusOf(answers: readonly NodeAnswer[]): Status {
  const nodes = answers.flatMap(({ figures }) => figures ?? []);
  return {
    backend: nodes[0]?.backend ?? "memory",
    up: nodes.every(({ up }) => up),
    nodes: answers.flatMap(({ node_id, figures }) => (figures === undefined ? [] : [node_id])),
    silent_nodes: answers.flatMap(({ node_id, figures }) => (figures === undefined ? [node_id] : [])),
    caches: CACHE_NAMES.map((name) => cacheOf(name, nodes)),
  };
}

function cacheOf(name: CacheName, nodes: readonly NodeFigures[]): Status["caches"][number] {
  const found = nodes.map(({ scope, actions }) => ({
    scope,
    actions: actions.filter((each) => ACTIONS[name].includes(each.name)),
  }));
  const all = found.flatMap(({ actions }) => actions);
  const rule = all.find(({ strategy }) => strategy !== null);
  const sum = (figure: "hits" | "misses" | "bypasses"): number =>
    all.reduce((total, each) => total + each[figure], 0);
  // What all nodes share, each of them has counted.
  const entries = found.map(({ actions }) => actions.reduce((total, each) => total + each.entries, 0));
  const shared = found.some(({ scope }) => scope === "chain");
  const [hits, misses, bypasses] = [sum("hits"), sum("misses"), sum("bypasses")];
  const reads = hits + misses + bypasses;
  const ended = all.flatMap(({ ended_at }) => ended_at ?? []).sort();
  return {
    name,
    strategy: rule?.strategy ?? null,
    ttl_s: rule?.ttl_s ?? null,
    entries: shared ? Math.max(0, ...entries) : entries.reduce((total, each) => total + each, 0),
    ...{ hits, misses, bypasses },
    hit_rate: reads === 0 ? null : Math.round((hits / reads) * 10_000) / 10_000,
    last_invalidated_at: ended.at(-1) ?? null,
  };
}
