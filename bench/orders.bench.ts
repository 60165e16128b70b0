import { setTimeout as pause } from "node:timers/promises";
import { FornoProcess } from "./forno-process";
import { loadFromOutside } from "./load-process";

export interface OrdersFigures {
  readonly connections: number;
  readonly orders_per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly node_cpu_ms_per_order: number;
  /** Highest seen delay between the log's head and the slowest projection, from samples during the load. */
  readonly projection_lag_ms: number;
  readonly node_rss_mb: number;
  readonly refused: number;
}

/** Health is asked anew twice a second at most. */
const LAG_SAMPLE_MS = 500;

/** What of the menu an order needs. */
export interface Menu {
  readonly pizzas: readonly { readonly id: string; readonly extras: readonly string[] }[];
  readonly sets: readonly { readonly id: string }[];
}

/** Orders placed over REST against a whole Forno: log, projections, sockets hub, process managers all running. */
export async function benchOrders(seconds: number): Promise<OrdersFigures[]> {
  const forno = await FornoProcess.start();
  try {
    const token = await forno.adminToken();
    // The seeded kitchen takes 10 000 a slot; this measures Forno, not the oven.
    await forno.ask("PUT", "/api/v1/erp/slots/config", { capacity_minor: 1_000_000_000_000 }, token);
    const bodies = orderBodies(await forno.ask<Menu>("GET", "/api/v1/menu"));
    await load(forno, bodies, 50, 2_000);
    const figures: OrdersFigures[] = [];
    for (const connections of [1, 50, 500])
      figures.push(await load(forno, bodies, connections, seconds * 1000));
    return figures;
  } finally {
    await forno.stop();
  }
}

async function load(
  forno: FornoProcess,
  bodies: readonly string[],
  connections: number,
  duration_ms: number,
): Promise<OrdersFigures> {
  const cpuBefore_ms = forno.cpu_ms();
  const running = { now: true };
  const lag = watchLag(forno, running);
  const report = await loadFromOutside({
    port: forno.port,
    connections,
    duration_ms,
    method: "POST",
    path: "/api/v1/order",
    bodies,
  });
  const cpu_ms = forno.cpu_ms() - cpuBefore_ms;
  running.now = false;
  const placed = report.statuses["201"] ?? 0;
  return {
    connections,
    orders_per_s: (placed / report.requests) * report.per_second,
    p50_ms: report.p50_ms,
    p99_ms: report.p99_ms,
    node_cpu_ms_per_order: cpu_ms / placed,
    projection_lag_ms: await lag,
    node_rss_mb: forno.rss_mb(),
    refused: report.requests - placed,
  };
}

interface Health {
  readonly checks: {
    readonly event_log: { readonly position: number };
    readonly projections: { readonly position: number };
  };
}

/** Notes when the log reached a head and when the slowest projection passed it. */
async function watchLag(forno: FornoProcess, running: { readonly now: boolean }): Promise<number> {
  let worst_ms = 0;
  const heads: { head: number; at: number }[] = [];
  while (running.now || heads.length > 0) {
    const { head, slowest } = await positions(forno);
    const at = performance.now();
    while (heads[0] !== undefined && heads[0].head <= slowest)
      worst_ms = Math.max(worst_ms, at - (heads.shift()?.at ?? at));
    if (running.now) heads.push({ head, at });
    await pause(LAG_SAMPLE_MS);
  }
  return worst_ms;
}

async function positions(forno: FornoProcess): Promise<{ head: number; slowest: number }> {
  const { checks } = await forno.health<Health>();
  return { head: checks.event_log.position, slowest: checks.projections.position };
}

/** Orders of all sorts, as JSON. */
export function orderBodies(menu: Menu): string[] {
  return Array.from({ length: 64 }, (_, index) => {
    const pizza = menu.pizzas[index % menu.pizzas.length];
    const set = menu.sets[index % menu.sets.length];
    return JSON.stringify({
      fulfilment: index % 3 === 0 ? "delivery" : "pickup",
      ...(index % 3 === 0 ? { address: "ул. Мира, 1, кв. 7" } : {}),
      payment_method: "card",
      customer: { name: "Анна", phone: "+79990000000" },
      items: [
        { menu_item_id: pizza?.id, quantity: 1 + (index % 3), extras: pizza?.extras.slice(0, index % 2) },
        ...(index % 4 === 0 ? [{ menu_item_id: set?.id, quantity: 1 }] : []),
      ],
    });
  });
}
