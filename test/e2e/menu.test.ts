import { Chain, type Dish, type Menu } from "../support/chain";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { heardOf, IoListener, news, PlainListener, type Listener } from "../support/listener";

describe("the menu", () => {
  let forno: FornoUnderTest;
  let chain: Chain;

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    chain = await Chain.of(forno);
  });
  afterAll(() => forno.remove());

  const menuNow = (etag?: string) =>
    forno.ask<Menu>("GET", "/api/v1/menu", { headers: etag === undefined ? {} : { "if-none-match": etag } });
  const dishNow = async (id: string): Promise<Dish | undefined> =>
    (await menuNow()).body.pizzas.find((pizza) => pizza.id === id);
  const priceOf = async (menu_item_id: string): Promise<number | undefined> =>
    (await chain.placed(chain.wish({ items: [{ menu_item_id, quantity: 1 }] }))).items[0]?.unit_price_minor;

  it("is answered with 304 to who has it, until it changes", async () => {
    const { id, price_minor } = chain.dish("Hunter");
    const first = await menuNow();
    const etag = first.headers.get("etag") ?? "";
    expect(etag).not.toBe("");
    const again = await menuNow(etag);
    expect({ status: again.status, body: again.body, etag: again.headers.get("etag") }).toEqual({
      status: 304,
      body: { text: "" },
      etag,
    });
    await chain.desk("PUT", `/api/v1/menu/items/${id}`, { price_minor: price_minor + 100 });
    expect((await menuNow(etag)).status).toBe(304);
    await chain.desk("POST", "/api/v1/menu/publish", {});
    const changed = await menuNow(etag);
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
    expect(changed.body.version).toBeGreaterThan(first.body.version);
  });

  it("reaches sockets and the next order when it is published, and not before", async () => {
    const { id, price_minor } = chain.dish("New York");
    const listeners: Listener[] = [
      new PlainListener(forno.port, "/ws"),
      new IoListener(forno.port, "/shop"),
      new PlainListener(forno.port, `/api/v1/ws?access_token=${chain.admin}`),
      new IoListener(forno.port, "/erp", { token: chain.admin }),
    ];
    await Promise.all(listeners.map((listener) => heardOf(listener, "ready")));
    await chain.desk("PUT", `/api/v1/menu/items/${id}`, { price_minor: price_minor * 2 });
    expect(await priceOf(id)).toBe(price_minor);
    const { body } = await chain.desk<{ version: number; position: number }>("POST", "/api/v1/menu/publish", {
      note: "dearer",
    });
    expect((await menuNow()).body.version).toBe(body.version);
    expect((await dishNow(id))?.price_minor).toBe(price_minor * 2);
    expect(await priceOf(id)).toBe(price_minor * 2);
    for (const listener of listeners) {
      const heard = await eventually(() => {
        const found = news(listener).find(({ position }) => position === body.position);
        if (found === undefined) throw new Error("no menu:updated");
        return found;
      });
      expect(heard).toMatchObject({ type: "menu:updated", data: { version: body.version, changed: [id] } });
      expect(JSON.stringify(heard)).not.toContain("dearer");
      listener.close();
    }
  });

  it("lets nobody order what has been switched off from that moment on, until it is switched on", async () => {
    const { id } = chain.dish("English Breakfast");
    const order = () => chain.wanted(chain.wish({ items: [{ menu_item_id: id, quantity: 1 }] }));
    const switched = (available: boolean) =>
      chain.desk("PUT", `/api/v1/menu/items/${id}/available`, { available });
    await switched(false);
    const refused = await order();
    expect({ status: refused.status, code: refused.body.code }).toEqual({
      status: 422,
      code: "menu.unavailable",
    });
    expect((await dishNow(id))?.available).toBe(false);
    await switched(true);
    expect((await order()).status).toBe(201);
    expect((await dishNow(id))?.available).toBe(true);
  });

  it("goes back to an older version, prices included", async () => {
    const { id } = chain.dish("Margherita");
    const before = (await menuNow()).body.version;
    const price = (await dishNow(id))?.price_minor ?? 0;
    await chain.desk("PUT", `/api/v1/menu/items/${id}`, { price_minor: 0 });
    await chain.desk("POST", "/api/v1/menu/publish", {});
    expect((await dishNow(id))?.price_minor).toBe(0);
    await chain.desk("POST", `/api/v1/menu/versions/${String(before)}/rollback`, {});
    expect((await dishNow(id))?.price_minor).toBe(price);
    expect(await priceOf(id)).toBe(price);
  });
});
