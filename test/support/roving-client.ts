import { IoListener, news, PlainListener, type Heard, type Listener } from "./listener";

/** Which door a client knocks at, and with what. */
export interface Door {
  readonly way: "plain" | "socket.io";
  readonly path: string;
  readonly token?: string;
  readonly track?: string;
}

/** A client that goes from node to node and resumes at each where it stopped at the last: as a good client does. */
export class RovingClient {
  readonly #visits: Listener[] = [];

  constructor(readonly door: Door) {}

  /** Goes to a node, at the position it has heard of; an earlier visit ends, unless its node has died. */
  visit(port: number): Listener {
    this.#visits.at(-1)?.close();
    const { way, path, token, track } = this.door;
    const after = this.position;
    const auth = {
      ...(after === undefined ? {} : { after }),
      ...(track === undefined ? {} : { track: [track] }),
    };
    const query = new URLSearchParams({ ...(token === undefined ? {} : { access_token: token }) });
    for (const [name, value] of Object.entries(auth)) query.set(name, String(value));
    const visit =
      way === "plain"
        ? new PlainListener(port, `${path}?${String(query)}`)
        : new IoListener(port, path, { ...auth, ...(token === undefined ? {} : { token }) });
    this.#visits.push(visit);
    return visit;
  }

  /** The newest position that any node has told it. */
  get position(): number | undefined {
    const positions = this.#all().map(({ position }) => position);
    return positions.length === 0 ? undefined : Math.max(...positions);
  }

  /** Messages about events, of all visits. */
  get news(): readonly Heard[] {
    return news({ heard: this.#all() });
  }

  /** Messages about the connection itself, of the present visit. */
  told(type: string): boolean {
    return this.#visits.at(-1)?.heard.some((message) => message.type === type) === true;
  }

  leave(): void {
    this.#visits.at(-1)?.close();
  }

  #all(): Heard[] {
    return this.#visits.flatMap(({ heard }) => heard);
  }
}
