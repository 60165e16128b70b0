import { operationsOf } from "../history";
import { canonical, differences } from "../model/digest";
import { toldOf } from "../model/events";
import { ordersOf, type Order } from "../model/order";
import { orderSeen } from "../model/sight";
import type { Evidence, Violation } from "./evidence";

/**
 * Whoever reads with `?after=` sees at least that, and every read shows an order, field by field, as it once was: an order that
 * one client alone changes as that client was told last.
 */
export function reads({ operations, events }: Pick<Evidence, "operations" | "events">): Violation[] {
  const orders = ordersOf(events);
  return operationsOf(operations, "read").flatMap(({ key, asked, answer, outcome, code }) => {
    const { order_id, after } = asked;
    if (outcome === "refused")
      return [{ promise: "read.refused", detail: `${order_id} after ${after}: ${code ?? "?"}` }];
    if (answer === null) return [];
    const past = orders.get(order_id) ?? [];
    const least = past.findLastIndex(({ position }) => position <= after);
    const wanted = past.slice(Math.max(0, least)).map(seenByDesk);
    if (wanted.some((seen) => canonical(seen) === canonical(answer))) return [];
    const isOld = past
      .slice(0, Math.max(0, least))
      .some((old) => canonical(seenByDesk(old)) === canonical(answer));
    const wrong = differences(answer, wanted[0]).join(", ");
    return [
      {
        promise: isOld ? "read.stale" : "read.wrong",
        detail: `${order_id} after ${after} (${key}): ${wrong}`,
      },
    ];
  });
}

const seenByDesk = (order: Order): object => orderSeen("desk", order);

/** Whoever reads the menu with `?after=` sees the version that was published there, or a newer one, with its prices. */
export function menuReads({
  operations,
  events,
  menus,
}: Pick<Evidence, "operations" | "events" | "menus">): Violation[] {
  const published = toldOf(events, "menu.published");
  return operationsOf(operations, "menu").flatMap(({ asked, answer }) => {
    if (answer === null) return [];
    const least = published.findLast(({ position }) => position <= asked.after)?.data.version ?? 0;
    if (answer.version < least)
      return [
        {
          promise: "menu.stale",
          detail: `version ${answer.version} after ${asked.after}, which has ${least}`,
        },
      ];
    const menu = menus.find(({ version }) => version === answer.version);
    const wanted = Object.fromEntries(menu?.pizzas.map(({ id, price_minor }) => [id, price_minor]) ?? []);
    const wrong = differences(answer.prices, wanted);
    return wrong.length === 0
      ? []
      : [{ promise: "menu.wrong", detail: `version ${answer.version}: ${wrong.join(", ")}` }];
  });
}
