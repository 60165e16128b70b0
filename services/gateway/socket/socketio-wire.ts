import type { Socket } from "socket.io";
import type { Caller } from "../../../mixins/contract/caller";
import type { Place, Places } from "../places";

/**
 * One engine.io connection, by WebSocket or long polling (then nothing need be open at the moment, and it is a connection all
 * the same). It carries any number of sessions, each in a place of its own; without one it waits to be known, and after its
 * last one it is closed: nobody sits here uncounted.
 */
export class Wire {
  readonly #seats = new Set<Place>();
  #waiting: Place;

  constructor(
    private readonly places: Places,
    private readonly address: string,
    private readonly conn: Socket["conn"],
  ) {
    this.#waiting = this.#wait();
    conn.once("close", () => {
      for (const place of [this.#waiting, ...this.#seats]) place.leave();
    });
  }

  /** A place for one more session; undefined where there is none, or where the connection has ended meanwhile. */
  seat(caller: Caller): Place | undefined {
    if (this.conn.readyState !== "open") return undefined;
    const place = this.places.seat(this.address, caller);
    if (place === undefined) return undefined;
    this.#seats.add(place);
    this.#waiting.leave();
    return place;
  }

  /** A session has ended. The connection goes when its client has taken what was said last. */
  left(place: Place): void {
    place.leave();
    if (!this.#seats.delete(place) || this.#seats.size > 0 || this.conn.readyState === "closed") return;
    this.#waiting = this.#wait();
    this.conn.close();
  }

  #wait(): Place {
    return this.places.enter(this.address, () => this.conn.close(true));
  }
}
