import { randomUUID } from "node:crypto";
import { ErpSocket } from "../support/erp-socket";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { kitchenWorkOf, type WorkedLine } from "../support/kitchen-work";

interface Placed {
  readonly position: number;
  readonly order_id: string;
  readonly display_id: string;
  readonly items: readonly WorkedLine[];
  readonly slot: { readonly slot_id: string };
}
interface Listed extends Placed {
  readonly branch_id: string;
  readonly business_date: string;
  readonly status: string;
}
interface Slot {
  readonly slot_id: string;
  readonly load_minor: number;
  readonly capacity_minor: number;
  readonly orders_count: number;
}
interface PageOf<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}
/** One wish of a customer, asked for until it is answered. */
interface Wish {
  readonly key: string;
  readonly body: object;
  placed?: Placed;
}

const CUSTOMERS = 24;
const ROUNDS = 3;
const ACKNOWLEDGED_PER_ROUND = 150;

describe("a Forno that is killed in the middle of a load", () => {
  let forno: FornoUnderTest;
  let token: string;
  let desk: ErpSocket;
  const wishes: Wish[] = [];

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    token = await forno.adminToken();
    const { status } = await forno.ask("PUT", "/api/v1/erp/slots/config", {
      token,
      body: { capacity_minor: 8_000_000 },
    });
    expect(status).toBe(200);
    desk = new ErpSocket(forno.url, token);
    await desk.connect();
    const menu = await forno.ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu");
    for (let round = 0; round < ROUNDS; round++) await placeUntilKilled(menu.body.pizzas);
    await Promise.all(wishes.filter(({ placed }) => placed === undefined).map(ask));
  });

  afterAll(async () => {
    desk.close();
    await forno.remove();
  });

  /** Customers order without a pause; once enough were answered the process is killed, and started again. */
  async function placeUntilKilled(pizzas: readonly { id: string }[]): Promise<void> {
    const before = acknowledged();
    let running = true;
    const customers = Array.from({ length: CUSTOMERS }, async (_, customer) => {
      while (running) {
        const pizza = pizzas[(wishes.length + customer) % pizzas.length];
        const items = [{ menu_item_id: pizza?.id, quantity: 1 + (wishes.length % 3) }];
        const wish: Wish = {
          key: randomUUID(),
          body: { fulfilment: "pickup", payment_method: "cash", items },
        };
        wishes.push(wish);
        await ask(wish).catch(() => undefined);
      }
    });
    await eventually(() => {
      expect(acknowledged() - before).toBeGreaterThan(ACKNOWLEDGED_PER_ROUND);
    }, 60_000);
    await forno.end("SIGKILL");
    running = false;
    await Promise.all(customers);
    await forno.start();
  }

  const acknowledged = (): number => wishes.filter(({ placed }) => placed !== undefined).length;

  async function ask(wish: Wish): Promise<void> {
    const answer = await forno.ask<Placed>("POST", "/api/v1/order", {
      body: wish.body,
      headers: { "idempotency-key": wish.key },
    });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    if (wish.placed !== undefined) expect(answer.body).toEqual(wish.placed);
    wish.placed = answer.body;
  }

  /** As the read model has them once it has seen every acknowledged one. */
  async function everyOrder(): Promise<Listed[]> {
    const after = Math.max(...wishes.map(({ placed }) => placed?.position ?? 0));
    const listed: Listed[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page_of = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const query: string = `?after=${String(after)}${page_of}`;
      const page = await forno.ask<PageOf<Listed>>("GET", `/api/v1/erp/orders/batch${query}`, { token });
      expect(page.status).toBe(200);
      listed.push(...page.body.items);
      cursor = page.body.next_cursor;
    }
    return listed;
  }

  it("has every order that was asked for, once", async () => {
    const listed = await everyOrder();
    const asked = wishes.map(({ placed }) => placed?.order_id);
    expect(listed.map(({ order_id }) => order_id).sort()).toEqual([...asked].sort());
  });

  it("gives the first answer again to whoever asks with the same key", async () => {
    await Promise.all(wishes.slice(0, 50).map(ask));
    expect(await everyOrder()).toHaveLength(wishes.length);
  });

  it("never gave a display id twice in one branch and day", async () => {
    const ids = (await everyOrder()).map(({ branch_id, business_date, display_id }) =>
      [branch_id, business_date, display_id].join(),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("has slots that hold exactly the orders in them, none above its capacity", async () => {
    const orders = await everyOrder();
    const expected = new Map<string, { load: number; count: number }>();
    for (const order of orders) {
      const { slot_id } = order.slot;
      const sum = expected.get(slot_id) ?? { load: 0, count: 0 };
      expected.set(slot_id, { load: sum.load + kitchenWorkOf(order), count: sum.count + 1 });
    }
    const now = Date.now();
    const range = `from=${new Date(now - 3_600_000).toISOString()}&to=${new Date(now + 36 * 3_600_000).toISOString()}`;
    const { body, status } = await forno.ask<PageOf<Slot>>("GET", `/api/v1/erp/slots?${range}`, { token });
    expect(status).toBe(200);
    const loaded = body.items.filter(({ orders_count }) => orders_count > 0);
    expect(loaded.map(({ slot_id }) => slot_id).sort()).toEqual([...expected.keys()].sort());
    for (const slot of loaded) {
      expect({ load: slot.load_minor, count: slot.orders_count }).toEqual(expected.get(slot.slot_id));
      expect(slot.load_minor).toBeLessThanOrEqual(slot.capacity_minor);
    }
  });

  it("told the desk's socket of every order once, in the log's order, across all its deaths", async () => {
    await eventually(() => {
      expect(desk.created()).toHaveLength(wishes.length);
    });
    expect(new Set(desk.created()).size).toBe(wishes.length);
    const positions = desk.messages
      .filter(({ type }) => type === "order:created")
      .map(({ position }) => position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  it("gives capacity back once when orders are cancelled, also when that is asked twice", async () => {
    const [victim] = (await everyOrder()).filter(({ status }) => status === "pending");
    const cancel = () =>
      forno.ask("POST", `/api/v1/erp/orders/${victim?.order_id ?? ""}/cancel`, {
        token,
        body: { reason: "the customer left" },
        headers: { "idempotency-key": "cancel-once" },
      });
    const load = async (): Promise<number> => {
      const date =
        (await everyOrder()).find(({ order_id }) => order_id === victim?.order_id)?.business_date ?? "";
      const { body } = await forno.ask<PageOf<Slot>>("GET", `/api/v1/erp/slots?from=${date}&to=${date}`, {
        token,
      });
      return body.items.reduce((sum, slot) => sum + slot.load_minor, 0);
    };
    const before = await load();
    expect((await cancel()).status).toBe(200);
    expect((await cancel()).headers.get("idempotent-replay")).toBe("true");
    await eventually(async () => {
      expect(await load()).toBe(before - (victim === undefined ? 0 : kitchenWorkOf(victim)));
    });
  });
});
