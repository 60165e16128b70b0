import { DOORS } from "../../services/gateway/socket/doors";
import { eventually } from "./eventually";
import type { FornoUnderTest } from "./forno";
import { heardOf, IoListener, PlainListener, type Listener } from "./listener";
import type { Place } from "./rights.examples";
import { EVERYBODY, type Letter, type Rights } from "./rights.golden";
import type { RightsWorld } from "./rights.world";
import { Subscriber } from "./subscriber";

interface Seat {
  readonly name: string;
  readonly who: Letter;
  readonly listener: Listener & { readonly away: boolean };
}

/**
 * Who is let in by each way, and who of them hears of a step of an order at the asking staff's branch and at the foreign one.
 * A change of the menu, which everybody hears, says when all has been heard.
 */
export async function heardBy(forno: FornoUnderTest, world: RightsWorld): Promise<Record<string, Rights>> {
  const seats = DOORS.flatMap((door) =>
    EVERYBODY.flatMap((who): Seat[] => [
      { name: `WS ${door.path}`, who, listener: plain(forno.port, door.path, world.tokenOf(who)) },
      { name: `IO ${door.namespace}`, who, listener: io(forno.port, door.namespace, world.tokenOf(who)) },
    ]),
  );
  await Promise.all(seats.map(({ listener }) => arrived(listener)));
  for (const which of ["own", "foreign"] as const)
    await world.chain.step(world.placeOf(which).order.order_id, "preparing");
  const { id } = world.chain.dish("Chicken and Mushrooms");
  await world.chain.desk("PUT", `/api/v1/menu/items/${id}/available`, { available: false });
  const found: Record<string, { own: string; foreign: string }> = {};
  for (const { name, who, listener } of seats) {
    if (!listener.away) await heardOf(listener, "menu:updated");
    const heard = (which: "own" | "foreign"): string => {
      if (listener.away) return "-";
      const { order_id } = world.placeOf(which).order;
      return listener.heard.some(({ data }) => data["order_id"] === order_id) ? who : ".";
    };
    const letters = (found[name] ??= { own: "", foreign: "" });
    letters.own += heard("own");
    letters.foreign += heard("foreign");
    listener.close();
  }
  return found;
}

const plain = (port: number, path: string, token?: string) => {
  const listener = new PlainListener(port, `${path}${token === undefined ? "" : `?access_token=${token}`}`);
  return Object.defineProperty(listener, "away", {
    get: () => listener.closed !== undefined || listener.status !== undefined,
  }) as PlainListener & { readonly away: boolean };
};

const io = (port: number, namespace: string, token?: string) => {
  const listener = new IoListener(port, namespace, token === undefined ? {} : { token });
  return Object.defineProperty(listener, "away", {
    get: () => listener.failed || listener.disconnected !== undefined,
  }) as IoListener & { readonly away: boolean };
};

function arrived(listener: Listener & { readonly away: boolean }): Promise<void> {
  return eventually(() => {
    if (!listener.away && !listener.heard.some(({ type }) => type === "ready"))
      throw new Error("neither in nor out");
  });
}

/** Whether somebody is let in where camera events are told, and may ask for those of a branch. */
export async function maySubscribe(
  way: "WS /subscribe" | "IO /cameras",
  port: number,
  token: string | undefined,
  { branch_id }: Place,
): Promise<boolean> {
  const subscriber = Subscriber.to(way === "WS /subscribe" ? "plain" : "socket.io", port, token);
  try {
    await eventually(() => {
      if (subscriber.ended === undefined && subscriber.of("connection_ack").length === 0)
        throw new Error("neither in nor out");
    });
    if (subscriber.ended !== undefined) return false;
    const filters = { branch_id__eq: branch_id };
    subscriber.send({ type: "subscribe", payload: { CameraEvents: { filters } } });
    return await eventually(() => {
      if (subscriber.of("subscribed").length + subscriber.of("error").length === 0)
        throw new Error("no answer");
      return subscriber.of("subscribed").length > 0;
    });
  } finally {
    subscriber.close();
  }
}
