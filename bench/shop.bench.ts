import { FornoProcess } from "./forno-process";
import type { LoadReport } from "./http-load";
import { loadFromOutside } from "./load-process";

export interface ShopFigures {
  readonly read: string;
  readonly bytes: number;
  readonly per_second: number;
  readonly p99_ms: number;
  /** Median over the rounds of its rate to that of the menu's document in the same round. */
  readonly of_the_menu: number;
}

const ROUNDS = 3;
const CONNECTIONS = 50;
/** So that there is something to rank. */
const ORDERS = 40;

interface Menu {
  readonly pizzas: readonly { readonly id: string }[];
}

/** Cached reads of the shop over REST beside the menu, which is served as ready bytes; each in turn, in one run. */
export async function benchShop(seconds: number): Promise<ShopFigures[]> {
  const forno = await FornoProcess.start();
  try {
    const { pizzas } = await forno.ask<Menu>("GET", "/api/v1/menu");
    await sell(forno, pizzas);
    const [first] = pizzas;
    const paths = [
      "/api/v1/menu",
      "/api/bestsellers",
      `/api/recommendations?item_id=${first?.id ?? ""}`,
      "/api/comments/top",
      `/api/menu/${first?.id ?? ""}/reviews`,
    ];
    const duration_ms = (seconds * 1000) / ROUNDS;
    const rounds: LoadReport[][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const reports: LoadReport[] = [];
      for (const path of paths)
        reports.push(
          await loadFromOutside({
            port: forno.port,
            connections: CONNECTIONS,
            duration_ms,
            method: "GET",
            path,
          }),
        );
      rounds.push(reports);
    }
    const bytes = await Promise.all(
      paths.map(async (path) => JSON.stringify(await forno.ask("GET", path)).length),
    );
    return paths.map((path, at) => ({
      read: path.replace(/[0-9a-f-]{36}/, ":id"),
      bytes: bytes[at] ?? 0,
      per_second: middle(rounds.map((reports) => reports[at]?.per_second ?? 0)),
      p99_ms: middle(rounds.map((reports) => reports[at]?.p99_ms ?? 0)),
      of_the_menu: middle(
        rounds.map((reports) => (reports[at]?.per_second ?? 0) / (reports[0]?.per_second ?? 1)),
      ),
    }));
  } finally {
    await forno.stop();
  }
}

/** Orders of two dishes each, and then a ranking that knows of them. */
async function sell(forno: FornoProcess, pizzas: Menu["pizzas"]): Promise<void> {
  for (let n = 0; n < ORDERS; n++) {
    const items = [n, n * 3 + 1].map((at) => ({ menu_item_id: pizzas[at % pizzas.length]?.id, quantity: 1 }));
    await forno.ask("POST", "/api/v1/order", { fulfilment: "pickup", payment_method: "cash", items });
  }
  await forno.ask("POST", "/api/cache/invalidate/all", {}, await forno.adminToken());
}

const middle = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
