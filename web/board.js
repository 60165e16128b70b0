import { api, element, Problem } from "./api.js";
import { clock, localized, text } from "./text.js";

const at = (id) => document.getElementById(id);
const LANES = ["pending", "preparing", "cooking", "ready", "delivery"];
const NEXT = { pending: "preparing", preparing: "cooking", cooking: "ready", delivery: "delivered" };
const nextOf = (order) =>
  order.status === "ready"
    ? order.fulfilment === "delivery"
      ? "delivery"
      : "delivered"
    : NEXT[order.status];

/** The right half: sign in, then every order live, each with the buttons that step it on. */
export function startBoard() {
  const state = {
    token: sessionStorage.getItem("token"),
    orders: new Map(),
    slots: new Map(),
    branches: new Map(),
    position: null,
    link: "connecting",
  };
  const draw = () => drawBoard(state, draw);
  at("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    void signIn(state, draw);
  });
  if (state.token) void open(state, draw);
  // Planned orders turn current by the clock, not by a message.
  setInterval(draw, 15_000);
  return { draw };
}

async function signIn(state, draw) {
  const problem = at("sign-in-problem");
  problem.hidden = true;
  try {
    const body = { username: at("username").value, password: at("password").value };
    const session = await api("POST", "/api/v1/auth/super-admin/login", { body });
    state.token = session.token;
    sessionStorage.setItem("token", session.token);
    await open(state, draw);
  } catch (error) {
    problem.textContent = error instanceof Problem ? error.message : text("network");
    problem.hidden = false;
  }
}

/** Socket first, then the state by REST: what comes in between arrives twice at worst, and both ways write the same. */
async function open(state, draw) {
  const branches = await api("GET", "/api/v1/branches");
  state.branches = new Map(branches.items.map((branch) => [branch.branch_id, branch]));
  connect(state, draw);
  try {
    await reload(state);
  } catch (error) {
    if (error.status !== 401) throw error;
    sessionStorage.removeItem("token");
    state.token = null;
  }
  draw();
}

async function reload(state) {
  state.orders.clear();
  for (let cursor = ""; cursor !== null;) {
    const page = await api(
      "GET",
      `/api/v1/erp/orders?limit=200${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      { token: state.token },
    );
    for (const order of page.items) state.orders.set(order.order_id, order);
    cursor = page.next_cursor;
  }
}

function connect(state, draw) {
  const after = state.position === null ? "" : `?after=${state.position}`;
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/erp/ws${after}`);
  socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "auth", token: state.token })));
  socket.addEventListener("message", ({ data }) => {
    receive(state, JSON.parse(data), draw);
  });
  socket.addEventListener("close", () => {
    state.link = "offline";
    draw();
    if (state.token) setTimeout(() => connect(state, draw), 1000);
  });
}

function receive(state, message, draw) {
  state.link = "live";
  if (typeof message.position === "number") state.position = message.position;
  const { data } = message;
  if (message.type === "resync_required") void reload(state).then(draw);
  if (message.type === "order:created")
    state.orders.set(data.order_id, { ...data, status: data.status ?? "pending" });
  if (message.type === "order:status:changed") {
    const order = state.orders.get(data.order_id);
    const status = data.status ?? data.to;
    if (order && status) order.status = status;
  }
  if (message.type === "slot:changed")
    for (const slot of data.slots ?? [data]) state.slots.set(slot.slot_id, slot);
  draw();
}

async function command(state, draw, order, path, body) {
  try {
    await api("POST", `/api/v1/erp/orders/${order.order_id}/${path}`, {
      body,
      token: state.token,
      key: crypto.randomUUID(),
    });
    order.problem = null;
  } catch (error) {
    order.problem = error instanceof Problem ? error.message : text("network");
  }
  draw();
}

function drawBoard(state, draw) {
  at("sign-in").hidden = state.token !== null;
  at("board").hidden = state.token === null;
  at("link-state").textContent = state.token === null ? "" : text(state.link);
  at("link-state").className = state.link;
  if (state.token === null) return;
  drawSlots(state);
  const orders = [...state.orders.values()].sort(
    (a, b) => a.ready_at.localeCompare(b.ready_at) || a.order_id.localeCompare(b.order_id),
  );
  at("lanes").replaceChildren(
    ...LANES.map((lane) => {
      const here = orders.filter((order) => order.status === lane);
      return element(
        "div",
        { class: "lane" },
        element(
          "h3",
          {},
          element("span", {}, text(lane === "delivery" ? "inDelivery" : lane)),
          element("span", {}, String(here.length)),
        ),
        ...(here.length === 0 ? [element("p", { class: "empty" }, text("nothing"))] : []),
        ...here.map((order) => ticket(state, order, draw)),
      );
    }),
  );
}

function ticket(state, order, draw) {
  const zone = state.branches.get(order.branch_id)?.time_zone;
  const later = order.status === "pending" && Date.parse(order.visible_at) > Date.now();
  const next = nextOf(order);
  return element(
    "article",
    { class: later ? "ticket later" : "ticket", "data-order": order.order_id },
    element(
      "header",
      {},
      element("strong", {}, order.display_id),
      element("span", {}, text("due", { time: clock(order.ready_at, zone) })),
    ),
    element("ul", {}, ...order.items.map(lineOf)),
    order.notes ? element("p", {}, order.notes) : null,
    later
      ? element("p", { class: "empty" }, text("visibleAt", { time: clock(order.visible_at, zone) }))
      : null,
    order.problem ? element("p", { class: "problem" }, order.problem) : null,
    element(
      "footer",
      {},
      element(
        "button",
        {
          type: "button",
          class: "step",
          onclick: () => void command(state, draw, order, "status", { status: next }),
        },
        text(`→${next}`),
      ),
      order.status === "delivery"
        ? null
        : element(
            "button",
            {
              type: "button",
              onclick: () => void command(state, draw, order, "cancel", { reason: text("cancelReason") }),
            },
            text("cancel"),
          ),
    ),
  );
}

function lineOf(line) {
  return element(
    "li",
    {},
    `${line.quantity} × ${localized(line.name)}`,
    ...line.extras.map((extra) => element("div", {}, `+ ${localized(extra.name)}`)),
    ...line.exclude_ingredients.map((name) => element("div", { class: "without" }, `− ${name}`)),
  );
}

function drawSlots(state) {
  const slots = [...state.slots.values()]
    .filter((slot) => Date.parse(slot.end) > Date.now())
    .sort((a, b) => a.start.localeCompare(b.start));
  at("slots").replaceChildren(
    ...slots.slice(0, 16).map((slot) =>
      element(
        "div",
        { class: "slot", role: "listitem" },
        clock(slot.start, state.branches.get(slot.branch_id)?.time_zone),
        element("meter", {
          min: 0,
          max: Math.max(1, slot.capacity_minor),
          value: slot.load_minor,
          low: slot.capacity_minor * 0.5,
          high: slot.capacity_minor * 0.8,
          optimum: 0,
        }),
        String(slot.orders_count),
      ),
    ),
  );
}
