import { api, element, Problem } from "./api.js";
import { clock, localized, money, text } from "./text.js";

/** Order ids and track tokens of orders placed on this page, newest first, kept over a reload. */
const PLACED_KEPT = 3;
const at = (id) => document.getElementById(id);

/** The left half: menu, cart, placing an order, and its status afterwards. */
export function startShop() {
  const state = {
    menu: null,
    sales: new Map(),
    branches: [],
    slots: [],
    cart: new Map(),
    placed: JSON.parse(localStorage.getItem("placed") ?? "[]"),
    attempt: null,
  };
  const draw = () => drawAll(state, draw);
  at("order").addEventListener("submit", (event) => {
    event.preventDefault();
    void place(state, draw);
  });
  at("branch").addEventListener("change", () => void loadSlots(state).then(draw));
  at("fulfilment").addEventListener("change", draw);
  void load(state).then(draw);
  followPlaced(state, draw);
  return { draw };
}

async function load(state) {
  const [menu, branches, sales] = await Promise.all([
    api("GET", "/api/v1/menu"),
    api("GET", "/api/v1/branches"),
    api("GET", "/api/v1/menu/flash-sales/active"),
  ]);
  state.menu = menu;
  state.sales = new Map(sales.items.flatMap((sale) => sale.item_ids.map((id) => [id, sale])));
  state.branches = branches.items;
  await loadSlots(state);
}

/** What a dish costs now; the server computes it again, and its word counts. */
function priceOf(state, dish) {
  const sale = state.sales.get(dish.id);
  if (!sale) return dish.price_minor;
  return Math.min(
    dish.price_minor,
    sale.price_minor ?? Math.floor((dish.price_minor * (100 - sale.percent)) / 100),
  );
}

const chosenBranch = (state) =>
  state.branches.find((branch) => branch.branch_id === at("branch").value) ??
  state.branches.find((branch) => branch.is_default) ??
  state.branches[0];

async function loadSlots(state) {
  const branch = chosenBranch(state);
  if (!branch) return;
  state.slots = (await api("GET", `/api/v1/slots?branch_id=${branch.branch_id}`)).items;
}

/** An order is asked for until the server has answered: the same key, so the same order. A refusal is an answer. */
async function place(state, draw) {
  const button = at("place");
  const problem = at("order-problem");
  const body = orderOf(state);
  state.attempt ??= { key: crypto.randomUUID(), body: JSON.stringify(body) };
  if (state.attempt.body !== JSON.stringify(body))
    state.attempt = { key: crypto.randomUUID(), body: JSON.stringify(body) };
  button.disabled = true;
  problem.hidden = true;
  try {
    const order = await api("POST", "/api/v1/order", { body, key: state.attempt.key });
    state.attempt = null;
    state.cart.clear();
    const token = order.track_url.split("/").at(-1);
    state.placed = [{ ...order, token }, ...state.placed].slice(0, PLACED_KEPT);
    await loadSlots(state);
  } catch (error) {
    if (error instanceof Problem && error.status < 500) state.attempt = null;
    problem.textContent = error instanceof Problem ? error.message : text("network");
    problem.hidden = false;
  }
  draw();
}

function orderOf(state) {
  const fulfilment = at("fulfilment").value;
  const customer = { name: at("name").value.trim(), phone: at("phone").value.trim() };
  return {
    branch_id: chosenBranch(state).branch_id,
    fulfilment,
    payment_method: "cash",
    ...(at("time").value === "" ? {} : { preferred_time: at("time").value }),
    ...(fulfilment === "delivery" ? { address: at("address").value.trim() } : {}),
    customer: Object.fromEntries(Object.entries(customer).filter(([, value]) => value !== "")),
    items: [...state.cart.values()].map(({ dish, quantity, extras }) => ({
      menu_item_id: dish.id,
      quantity,
      extras,
    })),
  };
}

function drawAll(state, draw) {
  if (!state.menu) return;
  drawMenu(state, draw);
  drawCart(state, draw);
  drawChoices(state);
  drawPlaced(state);
}

function drawMenu(state, draw) {
  const { menu } = state;
  const extras = new Map(menu.extras.map((extra) => [extra.id, extra]));
  const dishes = [...menu.pizzas, ...menu.sets.map((set) => ({ ...set, extras: [] }))];
  at("menu").replaceChildren(
    ...dishes.map((dish) => {
      const offered = dish.extras.map((id) => extras.get(id)).filter(Boolean);
      const boxes = offered.map((extra) => ({ extra, box: element("input", { type: "checkbox" }) }));
      const add = () => {
        const chosen = boxes.filter(({ box }) => box.checked).map(({ extra }) => extra);
        const line = [dish.id, ...chosen.map((extra) => extra.id)].join("+");
        const quantity = Math.min(99, (state.cart.get(line)?.quantity ?? 0) + 1);
        state.cart.set(line, { dish, quantity, extras: chosen.map((extra) => extra.id), names: chosen });
        draw();
      };
      return element(
        "article",
        { class: "dish" },
        element("strong", {}, element("span", {}, localized(dish.name)), priceTag(state, dish)),
        element("small", {}, describe(dish, menu)),
        element(
          "footer",
          {},
          element(
            "span",
            {},
            ...boxes.map(({ extra, box }) =>
              element(
                "label",
                {},
                box,
                ` ${localized(extra.name)} +${money(extra.price_minor, menu.currency)}`,
              ),
            ),
          ),
          element(
            "button",
            {
              type: "button",
              onclick: add,
              disabled: !dish.available,
              "aria-label": `+ ${localized(dish.name)}`,
            },
            dish.available ? "+" : text("soldOut"),
          ),
        ),
      );
    }),
  );
}

function priceTag(state, dish) {
  const { currency } = state.menu;
  const price = priceOf(state, dish);
  const before =
    price < dish.price_minor
      ? element("s", { title: text("sale") }, money(dish.price_minor, currency))
      : null;
  return element("span", { class: "price" }, before, " ", money(price, currency));
}

function describe(dish, menu) {
  if (dish.ingredients)
    return dish.ingredients.map((part) => `${localized(part.name)} ${part.grams}`).join(" · ");
  const names = new Map(menu.pizzas.map((pizza) => [pizza.id, localized(pizza.name)]));
  return dish.items.map((part) => `${names.get(part.pizza_id) ?? "?"} × ${part.quantity}`).join(" · ");
}

function drawCart(state, draw) {
  const lines = [...state.cart.entries()];
  at("cart").replaceChildren(
    ...(lines.length === 0 ? [element("li", { class: "empty" }, text("empty"))] : []),
    ...lines.map(([line, { dish, quantity, names }]) => {
      const change = (by) => () => {
        const next = quantity + by;
        if (next < 1) state.cart.delete(line);
        else state.cart.set(line, { ...state.cart.get(line), quantity: Math.min(99, next) });
        draw();
      };
      return element(
        "li",
        {},
        element(
          "span",
          {},
          [localized(dish.name), ...names.map((extra) => localized(extra.name))].join(" + "),
        ),
        element("button", { type: "button", onclick: change(-1), "aria-label": "−" }, "−"),
        element("span", {}, String(quantity)),
        element("button", { type: "button", onclick: change(1), "aria-label": "+" }, "+"),
      );
    }),
  );
  const total = lines.reduce(
    (sum, [, { dish, quantity, names }]) =>
      sum +
      quantity * (priceOf(state, dish) + names.reduce((extra, { price_minor }) => extra + price_minor, 0)),
    0,
  );
  at("place").disabled = lines.length === 0;
  at("place").textContent =
    lines.length === 0 ? text("place") : `${text("place")} · ${money(total, state.menu.currency)}`;
}

function drawChoices(state) {
  const branch = chosenBranch(state);
  keepingChoice(
    at("branch"),
    state.branches.map((each) => [each.branch_id, localized(each.name)]),
    branch?.branch_id,
  );
  keepingChoice(
    at("fulfilment"),
    [
      ["pickup", text("pickup")],
      ["delivery", text("delivery")],
    ],
    "pickup",
  );
  keepingChoice(
    at("time"),
    [
      ["", text("soonest")],
      ...state.slots.map((slot) => [
        slot.start,
        `${clock(slot.start, branch?.time_zone)}–${clock(slot.end, branch?.time_zone)}`,
      ]),
    ],
    "",
  );
  at("address-field").hidden = at("fulfilment").value !== "delivery";
}

function keepingChoice(select, options, fallback) {
  const chosen =
    options.some(([value]) => value === select.value) && select.options.length > 0 ? select.value : fallback;
  select.replaceChildren(
    ...options.map(([value, label]) => element("option", { value, selected: value === chosen }, label)),
  );
}

function drawPlaced(state) {
  localStorage.setItem("placed", JSON.stringify(state.placed));
  const zone = (order) =>
    state.branches.find((branch) => branch.branch_id === order.branch_id)?.time_zone ??
    chosenBranch(state)?.time_zone;
  at("placed").replaceChildren(
    ...state.placed.map((order) =>
      element(
        "div",
        { class: "placed" },
        element("strong", {}, text("accepted", { id: order.display_id })),
        ` · ${money(order.total_minor, order.currency ?? state.menu.currency)} · ${text("readyAt", { time: clock(order.ready_at, zone(order)) })}`,
        element(
          "div",
          {},
          `${text("track")}: `,
          element("a", { href: order.track_url }, text(`status:${order.status}`)),
        ),
      ),
    ),
  );
}

/** A guest hears of the own orders by their track tokens. */
function followPlaced(state, draw) {
  let socket;
  const tracked = new Set();
  const track = () => {
    for (const { token } of state.placed)
      if (socket.readyState === WebSocket.OPEN && !tracked.has(token)) {
        tracked.add(token);
        socket.send(JSON.stringify({ type: "track", token }));
      }
  };
  const connect = () => {
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
    tracked.clear();
    socket.addEventListener("open", () => {
      track();
      void refresh(state).then(draw);
    });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      const order = state.placed.find(({ order_id }) => order_id === message.data?.order_id);
      if (order && (message.data.status ?? message.data.to))
        order.status = message.data.status ?? message.data.to;
      if (["menu:updated", "flash_sale:changed"].includes(message.type)) void load(state).then(draw);
      if (order) draw();
    });
    socket.addEventListener("close", () => setTimeout(connect, 1000));
  };
  connect();
  setInterval(track, 500);
}

async function refresh(state) {
  await Promise.all(
    state.placed.map(async (order) => {
      const seen = await api("GET", `/api/v1/track/${order.token}`).catch(() => null);
      if (seen) order.status = seen.status;
    }),
  );
}
