import { Chain, GUEST_PHONE, type PageOf, type Placed, type Problem, type Slot } from "../support/chain";
import { ErpSocket } from "../support/erp-socket";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { kitchenWorkOf } from "../support/kitchen-work";
import { news, PlainListener } from "../support/listener";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

interface Listed {
  readonly order_id: string;
  readonly display_id: string;
}

describe("the desk's work", () => {
  let forno: FornoUnderTest;
  let chain: Chain;

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    chain = await Chain.of(forno);
  });
  afterAll(() => forno.remove());

  const found = async (query: string): Promise<string[]> =>
    (await chain.desk<PageOf<Listed>>("GET", `/api/v1/erp/orders/search?${query}`)).body.items.map(
      ({ order_id }) => order_id,
    );

  describe("finding orders", () => {
    it("finds an order by its phone's last digits, its display id and its day, and by all of them", async () => {
      const branch_id = await chain.openBranch();
      const phone = "+79990007788";
      const wanted = await chain.placed(chain.delivery({ branch_id, customer: { phone } }));
      const other = await chain.placed(chain.delivery({ branch_id }));
      const scope = `branch_id=${branch_id}&after=${String(other.position)}`;
      const date = new Date().toISOString().slice(0, 10);
      for (const query of [
        "phone=7788",
        `phone=${encodeURIComponent(phone)}`,
        "phone=8%20(999)%20000-77-88",
        `display_id=${wanted.display_id}`,
      ])
        expect(await found(`${scope}&${query}`)).toEqual([wanted.order_id]);
      expect(await found(`${scope}&phone=${GUEST_PHONE.slice(-4)}&display_id=${wanted.display_id}`)).toEqual(
        [],
      );
      expect(await found(`${scope}&date=2020-01-01`)).toEqual([]);
      const { business_date } = (
        await chain.desk<{ business_date: string }>("GET", `/api/v1/erp/orders/${wanted.order_id}`)
      ).body;
      expect(await found(`${scope}&date=${business_date}`)).toEqual([other.order_id, wanted.order_id]);
      expect([date, new Date(Date.now() + DAY_MS).toISOString().slice(0, 10)]).toContain(business_date);
    });

    it("walks pages by their cursors, each order once, also when new ones come in between", async () => {
      const branch_id = await chain.openBranch();
      const placed: Placed[] = [];
      for (let n = 0; n < 5; n++) placed.push(await chain.placed(chain.wish({ branch_id })));
      const walked: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const next: string =
          cursor === ""
            ? `&after=${String(placed.at(-1)?.position)}`
            : `&cursor=${encodeURIComponent(cursor)}`;
        const { body } = await chain.desk<PageOf<Listed>>(
          "GET",
          `/api/v1/erp/orders?branch_id=${branch_id}&limit=2${next}`,
        );
        expect(body.items.length).toBeLessThanOrEqual(2);
        walked.push(...body.items.map(({ order_id }) => order_id));
        cursor = body.next_cursor;
        if (walked.length === 2) placed.push(await chain.placed(chain.wish({ branch_id })));
      }
      expect(walked).toEqual(placed.slice(0, walked.length).map(({ order_id }) => order_id));
      expect(walked.length).toBeGreaterThanOrEqual(5);
    });
  });

  describe("money and capacity", () => {
    it("refunds in parts up to what was paid, and not a kopeck more", async () => {
      const order = await chain.placed(chain.wish());
      const refund = (body: object) =>
        forno.ask<Problem & { amount_minor: number; refunded_total_minor: number }>(
          "POST",
          `/api/v1/erp/orders/${order.order_id}/refund`,
          { body, token: chain.admin },
        );
      expect((await refund({ amount_minor: 100, reason: "cold" })).body).toMatchObject({
        amount_minor: 100,
        refunded_total_minor: 100,
      });
      expect((await refund({ amount_minor: order.total_minor, reason: "cold" })).body.code).toBe(
        "order.refund_too_large",
      );
      expect((await refund({ reason: "late" })).body).toMatchObject({
        amount_minor: order.total_minor - 100,
        refunded_total_minor: order.total_minor,
      });
      expect((await refund({ reason: "again" })).body.code).toBe("order.nothing_to_refund");
    });

    it("gives a slot back once when its order is cancelled, and the place to the next one", async () => {
      const price = chain.dish("Pepperoni").price_minor;
      const branch_id = await chain.openBranch({ capacity_minor: price, preorder_hours: 48 });
      const first = await chain.placed(chain.wish({ branch_id }));
      const second = await chain.placed(chain.wish({ branch_id }));
      expect(second.slot.start > first.slot.start).toBe(true);
      const cancel = () =>
        forno.ask<Problem & { position: number }>("POST", `/api/v1/erp/orders/${first.order_id}/cancel`, {
          body: { reason: "changed their mind" },
          token: chain.admin,
        });
      const cancelled = await cancel();
      expect(cancelled.body).toMatchObject({ status: "cancelled" });
      expect((await cancel()).body.code).toBe("order.already_closed");
      await eventually(async () => {
        expect(await chain.slotOf(branch_id, first, cancelled.body.position)).toMatchObject({
          load_minor: 0,
          orders_count: 0,
        });
      });
      expect(await chain.slotOf(branch_id, second, second.position)).toMatchObject({
        load_minor: price,
        orders_count: 1,
      });
      expect(
        (await chain.placed(chain.wish({ branch_id, preferred_time: first.slot.start }))).slot.slot_id,
      ).toBe(first.slot.slot_id);
    });
  });

  it("gets over a socket that comes back what it missed, in order, once", async () => {
    const branch_id = await chain.openBranch();
    const token = await chain.account("manager", [branch_id]);
    const before = await chain.placed(chain.wish({ branch_id }));
    const desk = new ErpSocket(forno.url, token);
    await desk.connect();
    const seen = await chain.placed(chain.wish({ branch_id }));
    await eventually(() => {
      expect(desk.created()).toEqual([seen.order_id]);
    });
    const position = desk.messages.at(-1)?.position ?? 0;
    desk.close();
    const missed = [
      await chain.placed(chain.wish({ branch_id })),
      await chain.placed(chain.wish({ branch_id })),
    ];
    const back = new PlainListener(
      forno.port,
      `/api/v1/erp/ws?access_token=${token}&after=${String(position)}`,
    );
    const created = (): unknown[] =>
      news(back)
        .filter(({ type }) => type === "order:created")
        .map(({ data }) => data["order_id"]);
    await eventually(() => {
      expect(created()).toEqual(missed.map(({ order_id }) => order_id));
    });
    const live = await chain.placed(chain.wish({ branch_id }));
    await eventually(() => {
      expect(created()).toEqual([...missed, live].map(({ order_id }) => order_id));
    });
    expect(created()).not.toContain(before.order_id);
    back.close();
  });

  describe("the slot board", () => {
    it("takes what the kitchen makes at the menu's prices, whatever a sale or a code leaves of the sum", async () => {
      const branch_id = await chain.openBranch();
      const pizza = chain.dish("Pepperoni");
      const items = [{ menu_item_id: pizza.id, quantity: 3 }];
      const list_minor = 3 * pizza.price_minor;
      const full = await chain.placed(chain.wish({ branch_id, items }));
      const now = Date.now();
      const { body } = await chain.desk<{ sale: { sale_id: string } }>("POST", "/api/v1/menu/flash-sales", {
        ...{ name: { ru: "Почти даром", en: "Almost free" }, item_ids: [pizza.id], percent: 99 },
        starts_at: new Date(now - MINUTE_MS).toISOString(),
        ends_at: new Date(now + 60 * MINUTE_MS).toISOString(),
      });
      const preferred_time = full.slot.start;
      const cheap = await chain.placed(chain.wish({ branch_id, items, preferred_time }));
      expect(cheap.total_minor).toBeLessThan(list_minor / 50);
      await chain.desk("DELETE", `/api/v1/menu/flash-sales/${body.sale.sale_id}`);
      await chain.desk("POST", "/api/v1/menu/promo-codes", { code: "GIFT", percent: 100 });
      const free = await chain.placed(chain.wish({ branch_id, items, preferred_time, promo_code: "GIFT" }));
      expect(free.total_minor).toBe(0);
      expect([cheap, free].map(({ slot }) => slot.slot_id)).toEqual([full.slot.slot_id, full.slot.slot_id]);
      expect(await chain.slotOf(branch_id, full, free.position)).toMatchObject({
        load_minor: 3 * list_minor,
        orders_count: 3,
      });
    });

    it("follows new rules with the next order, and leaves placed ones where they are", async () => {
      const branch_id = await chain.openBranch({ lead_time_minutes: 30 });
      const early = await chain.placed(chain.wish({ branch_id }));
      const { body } = await chain.desk("PUT", "/api/v1/erp/slots/config", {
        branch_id,
        lead_time_minutes: 180,
        capacity_minor: 123_456,
      });
      expect(body).toMatchObject({
        branch_id,
        lead_time_minutes: 180,
        capacity_minor: 123_456,
        slot_minutes: 15,
      });
      const late = await chain.placed(chain.wish({ branch_id }));
      expect(Date.parse(late.slot.start) - Date.now()).toBeGreaterThan(175 * MINUTE_MS);
      expect((await chain.slotOf(branch_id, late, late.position)).capacity_minor).toBe(123_456);
      expect(await chain.slotOf(branch_id, early, late.position)).toMatchObject({
        load_minor: kitchenWorkOf(early),
        orders_count: 1,
      });
      const off = await chain.desk("PUT", "/api/v1/erp/slots/config", {
        branch_id,
        lead_time_minutes: 0,
        capacity_minor: 0,
      });
      expect(off.body).toMatchObject({ lead_time_minutes: 0, capacity_minor: 0 });
      expect((await chain.wanted(chain.wish({ branch_id }))).body.code).toMatch(
        /^slot\.(full|order_too_large)$/,
      );
    });

    it("sells no place in a slot that is switched off, until it is switched on", async () => {
      const branch_id = await chain.openBranch();
      const first = await chain.placed(chain.wish({ branch_id }));
      const wish = chain.wish({ branch_id, preferred_time: first.slot.start });
      const switched = (disabled: boolean) =>
        chain.desk<Slot>("PUT", `/api/v1/erp/slots/${first.slot.slot_id}/disabled`, { disabled });
      expect((await switched(true)).body).toMatchObject({ disabled: true, orders_count: 1 });
      expect((await chain.placed(wish)).slot.start).toBe(first.slot.end);
      expect((await switched(false)).body).toMatchObject({ disabled: false });
      expect((await chain.placed(wish)).slot.slot_id).toBe(first.slot.slot_id);
    });

    it("plans many slots of a day at once, all or none", async () => {
      const branch_id = await chain.openBranch();
      const day = new Date(Date.now() + DAY_MS).toISOString().slice(0, 10);
      const board = async (): Promise<readonly Slot[]> =>
        (
          await chain.desk<PageOf<Slot>>(
            "GET",
            `/api/v1/erp/slots?branch_id=${branch_id}&from=${day}&to=${day}`,
          )
        ).body.items;
      const slots = await board();
      expect(slots).toHaveLength(96);
      const plans = slots.map(({ slot_id }, index) => ({ slot_id, delivery_plan: index, pickup_plan: 0 }));
      const wrong = await forno.ask<Problem>("PUT", "/api/v1/erp/slots/plan/batch", {
        body: { plans: [...plans, { slot_id: `${branch_id}_20200101T0000Z`, pickup_plan: 1 }] },
        token: chain.admin,
      });
      expect(wrong.status).toBeGreaterThanOrEqual(400);
      expect((await board()).every(({ delivery_plan }) => delivery_plan === null)).toBe(true);
      const { body } = await chain.desk<{ position: number }>("PUT", "/api/v1/erp/slots/plan/batch", {
        plans,
      });
      expect(body.position).toBeGreaterThan(0);
      await eventually(async () => {
        expect(
          (await board()).map(({ slot_id, delivery_plan, pickup_plan }) => ({
            slot_id,
            delivery_plan,
            pickup_plan,
          })),
        ).toEqual(plans);
      });
    });

    it("says how full the kitchen is in the hour to come", async () => {
      const price = chain.dish("Pepperoni").price_minor;
      const branch_id = await chain.openBranch({ capacity_minor: price });
      const order = await chain.placed(chain.wish({ branch_id }));
      const load = async (window: string) =>
        (
          await chain.desk<{
            load_minor: number;
            capacity_minor: number;
            band: string;
            orders_count: number;
            slots: (Slot & { band: string })[];
          }>(
            "GET",
            `/api/v1/erp/kitchen-load?branch_id=${branch_id}&window=${window}&after=${String(order.position)}`,
          )
        ).body;
      const hour = await load("operational");
      expect(hour).toMatchObject({ load_minor: price, orders_count: 1, band: "low" });
      expect(hour.slots.find(({ slot_id }) => slot_id === order.slot.slot_id)).toMatchObject({
        load_minor: price,
        band: "high",
      });
      expect(await load("current")).toMatchObject({ load_minor: 0, band: "low" });
    });
  });
});
