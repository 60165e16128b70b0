import { isRefusal, type Refusal } from "../../../../mixins/contract/refusal";
import { cartDecider, type CartCommand, type CartState } from "../../../../services/cart/cart.decider";
import {
  LINES_MAX,
  QUANTITY_MAX,
  type CartEvent,
  type CartLine,
} from "../../../../services/cart/cart.events";
import { withoutOrdered } from "../../../../services/cart/cart.lines";
import type { Order } from "../../../../services/cart/cart.room";
import { uuidOf } from "../../../support/orders";

const CART = uuidOf(1, "c");
const ANNA = uuidOf(2, "c");
const AT = "2026-03-10T09:00:00.000Z";

const line = (number: number, changes: Partial<CartLine> = {}): CartLine => ({
  ...{ line_id: uuidOf(number, "a"), menu_item_id: uuidOf(number, "d"), quantity: 1 },
  ...{ extras: [], exclude_ingredients: [] },
  ...changes,
});

/** A cart spoken to: what it says, and what it is afterwards. */
class Cart {
  state: CartState = cartDecider.initialState();
  readonly events: CartEvent[] = [];

  constructor(private readonly user_id: string | null = null) {}

  told(order: Order, at = AT): unknown {
    const command = { ...order, cart_id: CART, user_id: this.user_id, at } as CartCommand;
    const decision = cartDecider.decide(command, this.state, undefined);
    if (isRefusal(decision)) return decision.code;
    this.state = decision.events.reduce((state, event) => cartDecider.evolve(state, event), this.state);
    this.events.push(...decision.events);
    return decision.answer;
  }

  add(...wishes: CartLine[]): unknown {
    return this.told({ type: "cart.add", wishes, may_open: true });
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }
}

const cartWith = (...lines: CartLine[]): Cart => {
  const cart = new Cart();
  cart.add(...lines);
  return cart;
};

describe("adding", () => {
  it("adds up what is the same, and keeps apart what differs in extras or in what is left out", () => {
    const cheese = { extras: [uuidOf(1, "e")] };
    const cart = cartWith(line(1), line(1, cheese), line(1, { exclude_ingredients: ["Лук"] }));
    cart.add(
      line(1, { line_id: uuidOf(9, "a"), quantity: 2 }),
      line(1, { ...cheese, line_id: uuidOf(8, "a") }),
    );
    expect(cart.state.lines.map(({ quantity }) => quantity)).toEqual([3, 2, 1]);
    expect(cart.state.lines[0]?.line_id).toBe(line(1).line_id);
  });

  it("does not mind the order of extras", () => {
    const [a, b] = [uuidOf(1, "e"), uuidOf(2, "e")];
    const cart = cartWith(line(1, { extras: [a, b] }), line(1, { extras: [b, a] }));
    expect(cart.state.lines).toHaveLength(1);
  });

  it("is refused beyond 99 of a line or 50 lines, and then changes nothing", () => {
    const cart = cartWith(line(1, { quantity: QUANTITY_MAX }));
    expect(cart.add(line(2), line(1))).toBe("cart.quantity_too_large");
    const many = Array.from({ length: LINES_MAX }, (_, at) => line(at + 10));
    expect(cart.add(...many)).toBe("cart.too_many_lines");
    expect(cart.events).toHaveLength(1);
  });

  it("does not open a cart for a token that nobody was given", () => {
    expect(new Cart().told({ type: "cart.add", wishes: [line(1)], may_open: false })).toBe("cart.unknown");
  });
});

describe("editing", () => {
  it("changes what is named: two tabs at one line lose nothing", () => {
    const cart = cartWith(line(1));
    const { line_id } = line(1);
    cart.told({ type: "cart.update", line_id, quantity: 5 });
    cart.told({ type: "cart.update", line_id, extras: [uuidOf(1, "e")] });
    cart.told({ type: "cart.update", line_id, exclude_ingredients: ["Лук"] });
    expect(cart.state.lines).toEqual([
      line(1, { quantity: 5, extras: [uuidOf(1, "e")], exclude_ingredients: ["Лук"] }),
    ]);
  });

  it("takes a line into its twin when they become the same", () => {
    const cart = cartWith(
      line(1, { extras: [uuidOf(1, "e")], quantity: 2 }),
      line(1, { line_id: uuidOf(7, "a") }),
    );
    cart.told({ type: "cart.update", line_id: uuidOf(7, "a"), extras: [uuidOf(1, "e")] });
    expect(cart.state.lines).toEqual([
      line(1, { line_id: uuidOf(7, "a"), extras: [uuidOf(1, "e")], quantity: 3 }),
    ]);
  });

  it("removes by quantity 0, by line, by menu item, or everything", () => {
    const cart = cartWith(
      line(1),
      line(2),
      line(3),
      line(3, { line_id: uuidOf(8, "a"), extras: ["x"] }),
      line(4),
    );
    cart.told({ type: "cart.update", line_id: line(1).line_id, quantity: 0 });
    cart.told({ type: "cart.remove", id: line(2).line_id });
    cart.told({ type: "cart.remove", id: line(3).menu_item_id });
    expect(cart.state.lines).toEqual([line(4)]);
    cart.told({ type: "cart.set_promo", promo_code: "SPRING" });
    cart.told({ type: "cart.clear" });
    expect(cart.state).toMatchObject({ lines: [], promo_code: null });
  });

  it("knows no line that is not there", () => {
    for (const cart of [new Cart(), cartWith(line(1))]) {
      expect(cart.told({ type: "cart.remove", id: uuidOf(5) })).toBe("cart.unknown_line");
      expect(cart.told({ type: "cart.update", line_id: uuidOf(5), quantity: 1 })).toBe("cart.unknown_line");
    }
  });

  it("writes nothing where nothing changes", () => {
    const cart = new Cart(ANNA);
    cart.told({ type: "cart.clear" });
    cart.told({ type: "cart.set_promo", promo_code: null });
    cart.told({ type: "cart.look" });
    expect(cart.events).toEqual([]);
  });
});

describe("ordering", () => {
  const begin = (keyed = false): Order => ({ type: "cart.begin_checkout", keyed });

  it("is joined by whoever comes while it is under way", () => {
    const cart = cartWith(line(1));
    expect([cart.told(begin()), cart.told(begin()), cart.told(begin(true))]).toEqual(
      Array(3).fill({ checkout_no: 1 }),
    );
    // The second wrote nothing; the third, so that the log remembers its answer.
    expect(cart.types.slice(1)).toEqual(["cart.checkout_begun", "cart.checkout_begun"]);
  });

  it("takes out what was ordered and keeps what was added meanwhile", () => {
    const cart = cartWith(line(1, { quantity: 2 }), line(2));
    cart.told({ type: "cart.set_promo", promo_code: "SPRING" });
    cart.told(begin());
    cart.add(line(1), line(3));
    const ordered = [line(1, { quantity: 2 }), line(2)];
    const finish: Order = { type: "cart.finish_checkout", checkout_no: 1, order_id: uuidOf(77), ordered };
    cart.told(finish);
    cart.told(finish);
    expect(cart.state).toMatchObject({ lines: [line(1), line(3)], promo_code: null, checkout: null });
    expect(cart.types.filter((type) => type === "cart.ordered")).toHaveLength(1);
    expect(cart.told(begin())).toEqual({ checkout_no: 2 });
  });

  it("takes out what was ordered although the menu spells an ingredient differently by now", () => {
    const left_out = (...exclude_ingredients: string[]) => ({ exclude_ingredients });
    const cart = cartWith(line(1, left_out("лук", "красный  перец")), line(2, left_out("лук")));
    cart.told(begin());
    cart.add(line(2, left_out("Лук")));
    const ordered = [line(1, left_out("Красный перец", "Лук")), line(2, left_out("ЛУК"))];
    cart.told({ type: "cart.finish_checkout", checkout_no: 1, order_id: uuidOf(77), ordered });
    expect(cart.state.lines).toEqual([line(2, left_out("лук"))]);
  });

  it("takes each ordered piece out once, also from a cart that has it in two lines", () => {
    const lines = [line(1, { quantity: 2 }), line(1, { line_id: uuidOf(9, "a"), quantity: 3 })];
    const ordered = [line(1, { quantity: 4 })];
    expect(withoutOrdered(lines, ordered)).toEqual([line(1, { line_id: uuidOf(9, "a") })]);
  });

  it("is young again for who joins it late, so that nobody gives it up as left", () => {
    const cart = cartWith(line(1));
    cart.told(begin());
    cart.told(begin(), "2026-03-10T09:00:09.999Z");
    expect(cart.state.checkout).toEqual({ no: 1, at: AT });
    expect(cart.told(begin(), "2026-03-10T09:00:10.000Z")).toEqual({ checkout_no: 1 });
    expect(cart.state.checkout).toEqual({ no: 1, at: "2026-03-10T09:00:10.000Z" });
  });

  it("counts on after a refusal, and leaves the cart as it is", () => {
    const cart = cartWith(line(1));
    cart.told(begin());
    cart.told({ type: "cart.drop_checkout", checkout_no: 1 });
    cart.told({ type: "cart.drop_checkout", checkout_no: 1 });
    expect(cart.state.lines).toEqual([line(1)]);
    expect(cart.told(begin())).toEqual({ checkout_no: 2 });
    expect(cart.told({ type: "cart.drop_checkout", checkout_no: 1 })).toEqual({});
    expect(cart.state.checkout?.no).toBe(2);
  });

  it("refuses an empty cart, and names the order that was made of it", () => {
    const cart = cartWith(line(1));
    cart.told(begin());
    cart.told({ type: "cart.finish_checkout", checkout_no: 1, order_id: uuidOf(77), ordered: [line(1)] });
    const command = {
      type: "cart.begin_checkout",
      keyed: false,
      cart_id: CART,
      user_id: null,
      at: AT,
    } as const;
    const refusal = cartDecider.decide(command, cart.state, undefined) as Refusal;
    expect(refusal).toMatchObject({ code: "cart.empty", data: { last_order_id: uuidOf(77) } });
  });
});

describe("signing in", () => {
  it("gives a guest's cart to one customer, again and again the same, and to nobody else", () => {
    const cart = cartWith(line(1));
    const contents = { lines: [line(1)], promo_code: null };
    expect(cart.told({ type: "cart.give", to_user_id: ANNA })).toEqual(contents);
    expect(cart.told({ type: "cart.give", to_user_id: ANNA })).toEqual(contents);
    expect(cart.told({ type: "cart.give", to_user_id: uuidOf(3, "c") })).toBe("cart.unknown");
    expect(cart.told({ type: "cart.add", wishes: [line(2)], may_open: false })).toBe("cart.unknown");
    expect(cart.types).toEqual(["cart.changed", "cart.given"]);
  });

  it("waits while the guest's cart is being ordered", () => {
    const cart = cartWith(line(1));
    cart.told({ type: "cart.begin_checkout", keyed: false });
    expect(cart.told({ type: "cart.give", to_user_id: ANNA })).toBe("cart.checkout_under_way");
  });

  it("adds quantities up to 99 and lines up to 50, and keeps the customer's own promo code", () => {
    const cart = new Cart(ANNA);
    cart.add(line(1, { quantity: 90 }), line(2));
    const guests = Array.from({ length: LINES_MAX }, (_, at) =>
      line(at + 1, { quantity: 10, line_id: uuidOf(at + 500) }),
    );
    cart.told({ type: "cart.take", from_cart_id: uuidOf(9), lines: guests, promo_code: "GUEST" });
    expect(cart.state.lines).toHaveLength(LINES_MAX);
    expect(cart.state.lines.slice(0, 3).map(({ quantity }) => quantity)).toEqual([99, 11, 10]);
    expect(cart.state.promo_code).toBe("GUEST");
    cart.told({ type: "cart.take", from_cart_id: uuidOf(8), lines: [], promo_code: "OTHER" });
    expect(cart.state.promo_code).toBe("GUEST");
  });
});

describe("staying away", () => {
  const expire = (unless_after: string): Order => ({ type: "cart.expire", unless_after });

  it("ends a guest's cart, but not one that was touched since, is being ordered, or is a customer's", () => {
    const touched = cartWith(line(1));
    touched.told(expire("2026-03-10T08:59:59.999Z"));
    expect(touched.state.open).toBe(true);
    const ordering = cartWith(line(1));
    ordering.told({ type: "cart.begin_checkout", keyed: false });
    ordering.told(expire(AT));
    expect(ordering.state.open).toBe(true);
    const annas = new Cart(ANNA);
    annas.add(line(1));
    annas.told(expire(AT));
    expect(annas.state.open).toBe(true);
    touched.told(expire(AT));
    touched.told(expire(AT));
    expect(touched.types).toEqual(["cart.changed", "cart.expired"]);
    expect(touched.state).toMatchObject({ open: false, lines: [] });
  });
});

describe("being forgotten", () => {
  it("ends a customer's cart at once, whatever is under way, and once", () => {
    const annas = new Cart(ANNA);
    annas.add(line(1));
    annas.told({ type: "cart.begin_checkout", keyed: false });
    annas.told({ type: "cart.close" });
    annas.told({ type: "cart.close" });
    expect(annas.types).toEqual(["cart.changed", "cart.checkout_begun", "cart.expired"]);
    expect(annas.state).toMatchObject({ open: false, lines: [] });
  });
});

describe("a cart that is closed", () => {
  const given = (): Cart => {
    const cart = cartWith(line(1));
    cart.told({ type: "cart.give", to_user_id: ANNA });
    return cart;
  };
  const expired = (): Cart => {
    const cart = cartWith(line(1));
    cart.told({ type: "cart.expire", unless_after: AT });
    return cart;
  };

  it.each([
    ["was never opened", () => new Cart()],
    ["was given away", given],
    ["has expired", expired],
  ])("that %s takes no edit and writes nothing", (_, make) => {
    const cart = make();
    const before = cart.types.length;
    const { line_id } = line(1);
    expect(cart.told({ type: "cart.update", line_id, quantity: 2 })).toBe("cart.unknown_line");
    expect(cart.told({ type: "cart.remove", id: line_id })).toBe("cart.unknown_line");
    expect(cart.told({ type: "cart.clear" })).toEqual({});
    expect(cart.told({ type: "cart.set_promo", promo_code: "SPRING" })).toEqual({});
    expect(cart.told({ type: "cart.add", wishes: [line(2)], may_open: false })).toBe("cart.unknown");
    expect(cart.told({ type: "cart.begin_checkout", keyed: false })).toBe("cart.empty");
    expect(cart.told({ type: "cart.expire", unless_after: AT })).toEqual({});
    expect(cart.told({ type: "cart.close" })).toEqual({});
    expect(cart.types).toHaveLength(before);
    expect(cart.state).toMatchObject({ open: false, lines: [], promo_code: null });
  });

  it("opens again for who may open it", () => {
    const cart = expired();
    cart.add(line(2));
    expect(cart.state).toMatchObject({ open: true, lines: [line(2)] });
  });

  it("is not touched by the end of a checkout that it does not have", () => {
    const cart = given();
    const finish = { checkout_no: 1, order_id: uuidOf(77), ordered: [line(1)] };
    expect(cart.told({ type: "cart.finish_checkout", ...finish })).toEqual({});
    expect(cart.types).toEqual(["cart.changed", "cart.given"]);
  });
});

describe("refusals of size", () => {
  const decided = (cart: Cart, wish: CartLine): Refusal => {
    const command = {
      type: "cart.add",
      wishes: [wish],
      may_open: true,
      cart_id: CART,
      user_id: null,
      at: AT,
    };
    return cartDecider.decide(command as CartCommand, cart.state, undefined) as Refusal;
  };

  it("name the line, and begin just above the limit", () => {
    const cart = cartWith(line(1, { quantity: QUANTITY_MAX - 1 }));
    expect(cart.add(line(1))).toEqual({});
    expect(decided(cart, line(1))).toMatchObject({
      ...{ refused: "unprocessable", code: "cart.quantity_too_large" },
      data: { line_id: line(1).line_id },
    });
  });

  it("count different lines only", () => {
    const cart = cartWith(...Array.from({ length: LINES_MAX }, (_, at) => line(at + 1)));
    expect(cart.add(line(1))).toEqual({});
    expect(decided(cart, line(LINES_MAX + 1))).toMatchObject({ code: "cart.too_many_lines" });
  });
});
