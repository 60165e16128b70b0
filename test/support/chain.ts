import { randomUUID } from "node:crypto";
import type { Answer, FornoUnderTest } from "./forno";
import type { WorkedLine } from "./kitchen-work";

/** What no cook may ever see on the wire; in ASCII, so that bytes can be searched for it. */
export const GUEST_PHONE = "+79135550123";
export const GUEST_ADDRESS = "Lenin street 5, flat 17";
export const GUEST_NAME = "Anna Ivanova";

export interface Placed {
  readonly order_id: string;
  readonly display_id: string;
  readonly items: readonly (WorkedLine & {
    readonly unit_price_minor: number;
    readonly line_total_minor: number;
  })[];
  readonly items_total_minor: number;
  readonly delivery_fee_minor: number;
  readonly discount_minor: number;
  readonly total_minor: number;
  readonly slot: { readonly slot_id: string; readonly start: string; readonly end: string };
  readonly ready_at: string;
  readonly visible_at: string;
  readonly track_url: string;
  readonly position: number;
}
export interface Problem {
  readonly code: string;
  readonly detail: string;
}
export interface PageOf<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}
export interface Slot {
  readonly slot_id: string;
  readonly start: string;
  readonly end: string;
  readonly load_minor: number;
  readonly capacity_minor: number;
  readonly orders_count: number;
  readonly delivery_plan: number | null;
  readonly pickup_plan: number | null;
  readonly disabled: boolean;
}
export interface Dish {
  readonly id: string;
  readonly name: { readonly ru: string; readonly en: string };
  readonly price_minor: number;
  readonly available: boolean;
  readonly extras: readonly string[];
}
export interface Menu {
  readonly version: number;
  readonly pizzas: readonly Dish[];
  readonly extras: readonly Dish[];
}
type Role = "manager" | "cook" | "courier" | "technologist" | "customer";

/** The seeded chain of a running Forno, as its super admin works with it. Each test opens branches of its own: their slots are nobody else's. */
export class Chain {
  #branches = 0;

  private constructor(
    readonly forno: FornoUnderTest,
    readonly admin: string,
    readonly menu: Menu,
  ) {}

  static async of(forno: FornoUnderTest): Promise<Chain> {
    const { body } = await forno.ask<Menu>("GET", "/api/v1/menu");
    return new Chain(forno, await forno.adminToken(), body);
  }

  /** Opens a branch that never closes, in UTC; resolves with its id. */
  async openBranch(slots: object = {}): Promise<string> {
    const code = `T${String.fromCharCode("A".charCodeAt(0) + this.#branches++)}`;
    const hours = Object.fromEntries(
      ["1", "2", "3", "4", "5", "6", "7"].map((day) => [day, { open: "00:00", close: "24:00" }]),
    );
    const { body } = await this.desk<{ branch: { branch_id: string } }>("POST", "/api/v1/erp/branches", {
      ...{ code, name: { ru: code, en: code }, address: { ru: code, en: code }, time_zone: "UTC" },
      ...{ delivery_fee_minor: 19_900, free_delivery_from_minor: null, slots: { hours, ...slots } },
    });
    return body.branch.branch_id;
  }

  /** Makes an account and signs in; resolves with the access token. */
  async account(role: Role, branch_ids: readonly string[] | null = null): Promise<string> {
    const email = `${role}-${randomUUID()}@forno.test`;
    const password = "long enough for anybody";
    await this.desk("POST", "/api/v1/auth/users", { role, name: role, email, password, branch_ids });
    const { body } = await this.forno.ask<{ token: string }>("POST", "/api/v1/auth/login", {
      body: { email, password },
    });
    return body.token;
  }

  dish(english: string): Dish {
    const found = [...this.menu.pizzas, ...this.menu.extras].find(({ name }) => name.en === english);
    if (found === undefined) throw new Error(`no ${english} in the menu`);
    return found;
  }

  /** A wish for one pizza, to be picked up. */
  wish(change: object = {}): object {
    return {
      fulfilment: "pickup",
      payment_method: "cash",
      items: [{ menu_item_id: this.dish("Pepperoni").id, quantity: 1 }],
      ...change,
    };
  }

  /** The same for a guest who gives name, phone and address. */
  delivery(change: object = {}): object {
    return this.wish({
      fulfilment: "delivery",
      address: GUEST_ADDRESS,
      customer: { name: GUEST_NAME, phone: GUEST_PHONE },
      ...change,
    });
  }

  /** Asks for an order in the shop, as a guest unless with a token. */
  wanted(wish: object, options: { token?: string; key?: string } = {}): Promise<Answer<Placed & Problem>> {
    const headers = options.key === undefined ? {} : { "idempotency-key": options.key };
    return this.forno.ask("POST", "/api/v1/order", { body: wish, token: options.token, headers });
  }

  /** The same for an order that is not refused. */
  async placed(wish: object, options: { token?: string; key?: string } = {}): Promise<Placed> {
    const { status, body } = await this.wanted(wish, options);
    if (status !== 201) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
    return body;
  }

  /** A request of the super admin that is not refused. */
  async desk<T = Record<string, unknown>>(method: string, route: string, body?: object): Promise<Answer<T>> {
    const answer = await this.forno.ask<T>(method, route, { body, token: this.admin });
    if (answer.status >= 300)
      throw new Error(`${method} ${route}: ${String(answer.status)} ${JSON.stringify(answer.body)}`);
    return answer;
  }

  step(
    order_id: string,
    status: string,
    token = this.admin,
  ): Promise<Answer<Problem & { position: number }>> {
    return this.forno.ask("POST", `/api/v1/erp/orders/${order_id}/status`, { body: { status }, token });
  }

  /** The slot of an order, as it is once `position` is in. */
  async slotOf(branch_id: string, { slot }: Placed, position: number): Promise<Slot> {
    const query = `branch_id=${branch_id}&from=${slot.start}&to=${slot.end}&after=${String(position)}`;
    const { body } = await this.desk<PageOf<Slot>>("GET", `/api/v1/erp/slots?${query}`);
    const found = body.items.find(({ slot_id }) => slot_id === slot.slot_id);
    if (found === undefined) throw new Error(`no slot ${slot.slot_id}`);
    return found;
  }
}

export const trackTokenOf = ({ track_url }: Placed): string => track_url.split("/").at(-1) ?? "";
