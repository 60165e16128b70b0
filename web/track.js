import { api, element } from "./api.js";
import { clock, localized, switchLanguage, text, writeStaticTexts } from "./text.js";

const token = location.pathname.split("/").at(-1);
const steps = (order) => [
  "pending",
  "preparing",
  "cooking",
  "ready",
  ...(order.fulfilment === "delivery" ? ["delivery"] : []),
  "delivered",
];
let order = null;
let unknown = false;
let timeZone;

/** One order for whoever holds its link: where it is on its way, live. */
function draw() {
  writeStaticTexts();
  const place = document.getElementById("tracked");
  if (unknown) return place.replaceChildren(element("p", { class: "problem" }, text("unknownOrder")));
  if (order === null) return;
  const at = steps(order).indexOf(order.status);
  place.replaceChildren(
    element("h2", {}, order.display_id),
    element(
      "p",
      {},
      order.status === "cancelled"
        ? text("status:cancelled")
        : text("readyAt", { time: clock(order.ready_at, timeZone) }),
    ),
    element(
      "ol",
      { class: "steps" },
      ...steps(order).map((step, index) =>
        element(
          "li",
          { class: index <= at ? "done" : "", "aria-current": index === at ? "step" : null },
          text(`status:${step}`),
        ),
      ),
    ),
    element(
      "ul",
      {},
      ...order.items.map((line) => element("li", {}, `${line.quantity} × ${localized(line.name)}`)),
    ),
  );
}

async function load() {
  try {
    const [found, branches] = await Promise.all([
      api("GET", `/api/v1/track/${encodeURIComponent(token)}`),
      api("GET", "/api/v1/branches"),
    ]);
    order = found;
    timeZone = branches.items.find(({ branch_id }) => branch_id === order.branch_id)?.time_zone;
  } catch (error) {
    unknown = error.status === 404 || error.status === 400;
  }
  draw();
}

function follow() {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
  socket.addEventListener("open", () => {
    socket.send(JSON.stringify({ type: "track", token }));
    void load();
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    if (message.type !== "order:status:changed" || message.data.order_id !== order?.order_id) return;
    order.status = message.data.status ?? order.status;
    draw();
  });
  socket.addEventListener("close", () => {
    if (!unknown) setTimeout(follow, 1000);
  });
}

document.getElementById("language").addEventListener("click", () => {
  switchLanguage();
  draw();
});
writeStaticTexts();
follow();
