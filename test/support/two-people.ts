import { randomUUID } from "node:crypto";
import type { Chain, Placed } from "./chain";
import { eventually } from "./eventually";
import type { FornoUnderTest } from "./forno";

/** Nothing in the world but these two people contains it: every name, address and text of theirs, and their numbers. */
export const SOUGHT = /zyxw|79007654\d{3}/i;
export const PASSWORD = "tall umbrella kiosk 41";
const ANNAS_PHONE = "+79007654001";
export const GUESTS_PHONE = "+79007654002";

export interface Erasure {
  readonly erasure_id: string;
  readonly streams: number;
  readonly position: number;
}

/** What a customer and a guest leave behind, on several nodes. */
export class TwoPeople {
  readonly email = `zyxw-${randomUUID()}@forno.test`;
  token = "";
  user_id = "";
  orders: string[] = [];

  constructor(
    private readonly chain: Chain,
    private readonly nodes: readonly FornoUnderTest[],
  ) {}

  async live(): Promise<void> {
    await this.#register();
    await this.#visit();
    const said = (phone: string) => ({
      customer: { name: "Zyxwana", phone },
      address: "Zyxwstreet 7",
      notes: "Zyxwdoor 17",
    });
    const { chain, token } = this;
    const [eaten, cancelled, guests, refused] = [
      await chain.placed(chain.delivery(said(ANNAS_PHONE)), { token }),
      await chain.placed(chain.delivery(said(ANNAS_PHONE)), { token, key: randomUUID() }),
      await chain.placed(chain.delivery(said(GUESTS_PHONE)), { key: randomUUID() }),
      await chain.wanted(chain.delivery({ ...said(GUESTS_PHONE), items: [{ name: "Nosuch", quantity: 1 }] })),
    ];
    expect(refused.status).toBe(422);
    await chain.desk("POST", `/api/v1/erp/orders/${cancelled.order_id}/cancel`, { reason: "Zyxwlate" });
    for (const placed of [eaten, guests]) await this.#bring(placed);
    for (const { order_id } of [eaten, guests])
      await chain.desk("POST", `/api/v1/erp/orders/${order_id}/refund`, {
        amount_minor: 100,
        reason: "Zyxwcold",
      });
    const menu_item_id = chain.dish("Pepperoni").id;
    await this.#own("POST", "/api/reviews", { menu_item_id, rating: 5, text: "Zyxwtasty" });
    this.orders = [eaten, cancelled, guests].map(({ order_id }) => order_id);
    await this.#beShown();
  }

  async #register(): Promise<void> {
    const account = { name: "Zyxwana Petrova", email: this.email, phone: ANNAS_PHONE, password: PASSWORD };
    const { body } = await this.chain.forno.ask<{ token: string; user_id: string }>(
      "POST",
      "/api/v1/auth/register",
      { body: account },
    );
    Object.assign(this, body);
  }

  /** What somebody does who has not ordered yet. */
  async #visit(): Promise<void> {
    const address = { label: "Zyxwhome", address: "Zyxwstreet 7", comment: "Zyxwdoor", is_default: true };
    await this.#own("PUT", "/api/user/profile", { addresses: [address] });
    await this.#own("POST", `/api/cart/add/${this.chain.dish("Pepperoni").id}`, { quantity: 2 });
    const { body } = await this.chain.forno.ask<{ items: { post_id: string }[] }>("GET", "/posts");
    await this.#own("POST", "/posts/view", { post_id: body.items[0]?.post_id });
  }

  async #bring({ order_id }: Placed): Promise<void> {
    for (const status of ["preparing", "cooking", "ready", "delivery", "delivered"])
      expect((await this.chain.step(order_id, status)).status).toBe(200);
  }

  /** Every node has shown everything once, and so has it in its caches. */
  async #beShown(): Promise<void> {
    const { token, chain } = this;
    for (const node of this.nodes)
      await eventually(async () => {
        const profile = await node.ask("GET", "/api/user/profile", { token });
        expect(JSON.stringify(profile.body)).toContain("Zyxwhome");
        const comments = await node.ask("GET", "/api/comments/top?sort=newest");
        expect(JSON.stringify(comments.body)).toContain("Zyxwtasty");
        const orders = await node.ask("GET", "/api/v1/erp/orders/batch", { token: chain.admin });
        expect(JSON.stringify(orders.body)).toContain("Zyxwlate");
      });
  }

  async #own(method: string, route: string, body: object): Promise<void> {
    const answer = await this.chain.forno.ask(method, route, { body, token: this.token });
    if (answer.status >= 300) throw new Error(`${route}: ${JSON.stringify(answer.body)}`);
  }

  /** The guest by the desk, the customer by herself, each at another node. */
  async leave(): Promise<Erasure[]> {
    const [first, last] = [this.nodes[0], this.nodes.at(-1)];
    const guest = await last?.ask<Erasure>("POST", "/api/v1/erp/customers/erase", {
      body: { phone: "8 (900) 765-40-02" },
      token: this.chain.admin,
    });
    const anna = await first?.ask<Erasure>("DELETE", "/api/user/profile", { token: this.token });
    for (const answer of [guest, anna])
      if (answer?.status !== 200) throw new Error(JSON.stringify(answer?.body));
    return [guest, anna].flatMap((answer) => answer?.body ?? []);
  }
}
