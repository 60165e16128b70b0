import type { Random } from "../random";
import { hire, register, signedInAdmin, type Person } from "./people";
import { RestClient } from "./rest-client";

/** A branch of the harness, and between what its slots' capacity is moved. */
export interface ChaosBranch {
  readonly branch_id: string;
  readonly capacities: readonly number[];
  /** Items of an order here, fewest and most. */
  readonly quantity: readonly [number, number];
  /** Different dishes of an order, at most. */
  readonly lines_max: number;
}

/** What there is to order, where, and who works there. */
export interface World {
  readonly rest: RestClient;
  readonly admin: Person;
  readonly staff: readonly Person[];
  /** Who has an account and orders with it; others order as guests. */
  readonly customers: readonly Person[];
  readonly branches: readonly ChaosBranch[];
  readonly pizzas: readonly {
    readonly id: string;
    readonly price_minor: number;
    /** Ids of the extras that may be added. */
    readonly extras: readonly string[];
  }[];
  /** A flash sale that runs for longer than any load. */
  readonly sale_id: string;
  /** A promo code that is soon used up; a cancelled order gives it back. */
  readonly promo_code: string;
  /** A code for a customer's first order. */
  readonly first_code: string;
}

const CUSTOMERS = 3;

const ROUND_THE_CLOCK = Object.fromEntries(
  [1, 2, 3, 4, 5, 6, 7].map((day) => [String(day), { open: "00:00", close: "24:00" }]),
);

/** One with room for everybody, one where every slot is fought for, one whose orders are larger than its slots. */
const PLANS = [
  {
    code: "CW",
    slot_minutes: 15,
    capacities: [4_000_000, 5_000_000, 6_000_000],
    quantity: [1, 3],
    lines_max: 3,
  },
  { code: "CS", slot_minutes: 5, capacities: [120_000, 160_000, 200_000], quantity: [1, 2], lines_max: 1 },
  { code: "CO", slot_minutes: 10, capacities: [150_000, 200_000], quantity: [2, 6], lines_max: 2 },
] as const;

/** Opens the branches and hires people; every node knows of them when it resolves. */
export async function createWorld(urls: readonly string[], password: string, random: Random): Promise<World> {
  const rest = new RestClient(urls, random.fork("world"));
  const admin = await signedInAdmin(rest, password);
  const branches: ChaosBranch[] = [];
  for (const { code, slot_minutes, capacities, quantity, lines_max } of PLANS) {
    const { outcome, body } = await rest.ask({
      method: "POST",
      route: "/api/v1/erp/branches",
      key: `open ${code}`.replace(" ", "-"),
      token: admin.token,
      body: {
        code,
        name: { ru: code, en: code },
        address: { ru: code, en: code },
        time_zone: "Europe/Moscow",
        delivery_fee_minor: 15_000,
        slots: {
          slot_minutes,
          capacity_minor: capacities[0],
          lead_time_minutes: 10,
          preorder_hours: 24,
          hours: ROUND_THE_CLOCK,
        },
      },
    });
    if (outcome !== "acked") throw new Error(`Branch ${code} was not opened: ${JSON.stringify(body)}`);
    const { branch_id } = (body as { branch: { branch_id: string } }).branch;
    branches.push({ branch_id, capacities, quantity, lines_max });
  }
  await everyNodeKnows(urls, branches);
  const staff = await Promise.all(
    branches.flatMap(({ branch_id }) => [
      hire(rest, admin, "manager", [branch_id]),
      hire(rest, admin, "cook", [branch_id]),
    ]),
  );
  const customers = await Promise.all(
    Array.from({ length: CUSTOMERS }, (_, n) => register(rest, `customer-${n + 1}`)),
  );
  const menu = await rest.ask({ method: "GET", route: "/api/v1/menu" });
  const { pizzas } = menu.body as { pizzas: World["pizzas"] };
  const sale_id = await planSale(rest, admin, { name: "first", item_id: pizzas[0]?.id ?? "" });
  await planSale(rest, admin, { name: "limited", item_id: pizzas[1]?.id ?? "", limit_quantity: SALE_UNITS });
  const promo_code = "CHAOS";
  await make(rest, admin, "promo-codes", "the-code", {
    ...{ code: promo_code, percent: 1, limit_total: PROMO_USES },
  });
  const first_code = "FIRST";
  await make(rest, admin, "promo-codes", "the-first", {
    ...{ code: first_code, percent: 10, first_order_only: true },
  });
  return { rest, admin, staff, customers, branches, pizzas, sale_id, promo_code, first_code };
}

/** Fewer than are wanted, so that there are quarrels over the last ones for as long as orders are cancelled. */
const SALE_UNITS = 25;
const PROMO_USES = 15;

const DAY_MS = 86_400_000;

async function planSale(
  rest: RestClient,
  admin: Person,
  {
    name,
    item_id,
    limit_quantity = null,
  }: { readonly name: string; readonly item_id: string; readonly limit_quantity?: number | null },
): Promise<string> {
  const body = await make<{ sale: { sale_id: string } }>(rest, admin, "flash-sales", name, {
    name: { ru: name, en: name },
    item_ids: [item_id],
    percent: 1,
    limit_quantity,
    starts_at: new Date(Date.now() - 1_000).toISOString(),
    ends_at: new Date(Date.now() + DAY_MS).toISOString(),
  });
  return body.sale.sale_id;
}

async function make<T>(
  rest: RestClient,
  { token }: Person,
  what: "flash-sales" | "promo-codes",
  name: string,
  body: object,
): Promise<T> {
  const key = `make-${name}`;
  const answer = await rest.ask({ method: "POST", route: `/api/v1/menu/${what}`, key, token, body });
  if (answer.outcome !== "acked") throw new Error(`${key}: ${JSON.stringify(answer.body)}`);
  return answer.body as T;
}

async function everyNodeKnows(urls: readonly string[], branches: readonly ChaosBranch[]): Promise<void> {
  for (const url of urls)
    for (const deadline = Date.now() + 20_000; ;) {
      const answer = await fetch(`${url}/api/v1/branches`);
      const known = new Set(
        ((await answer.json()) as { items: ChaosBranch[] }).items.map(({ branch_id }) => branch_id),
      );
      if (branches.every(({ branch_id }) => known.has(branch_id))) break;
      if (Date.now() > deadline) throw new Error(`${url} does not hear of new branches.`);
    }
}
