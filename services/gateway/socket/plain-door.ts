import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { isRefusal } from "../../../mixins/contract/refusal";
import type { Position } from "../../../mixins/event-log/event-log";
import type { Clock } from "../../../mixins/runtime";
import type { Settings } from "../../../settings";
import { GUEST } from "../../../mixins/contract/caller";
import { cookieCartToken } from "../http/cart-token";
import { clientAddresses } from "../http/client-address";
import { problemDocument } from "../http/problem";
import { addressKey } from "../http/rate-limit";
import type { Place, Places } from "../places";
import { readWish } from "./client-frame";
import { closeReasonOf, farewell, type CloseReason } from "./close-reasons";
import { handshakeToken } from "./bearer-token";
import type { Frame } from "./frame";
import { originAllowed } from "./origin-allowed";
import type { Connection } from "./outbox";
import { takesGuests } from "./doors";
import type { Entrance, SessionContext } from "./session";
import type { SocketLimits } from "./socket-limits";

const SEND = { binary: false, compress: false, fin: true } as const;

/** One plain WebSocket, with its heartbeat. */
class PlainConnection implements Connection {
  #pinged_ms: number | undefined;
  #heard_ms: number;
  #corked = false;

  constructor(
    private readonly ws: WebSocket,
    private readonly tcp: Duplex,
    private readonly limits: SocketLimits,
    private readonly clock: Clock,
  ) {
    this.#heard_ms = clock.now();
  }

  send(frame: Frame, written: () => void): void {
    if (!this.#corked) this.#cork();
    this.ws.send(frame.json, SEND, written);
  }

  /** Reason and position also as a message: a close frame has no room for them as fields. */
  close(reason: CloseReason, resume_at: Position | undefined): void {
    this.send(farewell(reason, this.clock.now(), resume_at), () => undefined);
    this.ws.close(reason.code, reason.reason);
  }

  /** What is sent in one turn of the event loop leaves in one system call, which is most of what a message costs. */
  #cork(): void {
    this.#corked = true;
    this.tcp.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.tcp.uncork();
    });
  }

  heard(now: number): void {
    this.#heard_ms = now;
    this.#pinged_ms = undefined;
  }

  /** Pings a client that has been silent; cuts one that did not answer. Half-open connections are found by this alone. */
  beat(now: number): void {
    if (this.#pinged_ms !== undefined) {
      if (now - this.#pinged_ms >= this.limits.pong_ms_max) this.ws.terminate();
    } else if (now - this.#heard_ms >= this.limits.ping_interval_ms) {
      this.#pinged_ms = now;
      this.ws.ping();
    }
  }
}

/** What an upgrade asks for. */
interface Arrival {
  readonly entrance: Entrance;
  readonly query: URLSearchParams;
  readonly cart: string | undefined;
  readonly token: string | undefined;
}

/** The way in for clients without socket.io: JSON text frames on plain WebSockets. */
export class PlainDoor {
  readonly #wss: WebSocketServer;
  readonly #addressOf;
  readonly #beats = new Map<WebSocket, PlainConnection>();

  constructor(
    private readonly context: SessionContext,
    private readonly entrances: readonly Entrance[],
    private readonly places: Places,
    private readonly settings: Settings,
  ) {
    this.#addressOf = clientAddresses(settings.TRUSTED_PROXIES);
    const { frame_bytes_max } = context.limits;
    // Compression costs some 300 KB a client and a zlib run for each, where sharing one buffer costs nothing.
    this.#wss = new WebSocketServer({
      noServer: true,
      maxPayload: frame_bytes_max,
      perMessageDeflate: false,
      clientTracking: false,
    });
  }

  /** Answers an upgrade to one of our paths; false when the path is none of them. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const url = urlOf(req);
    const entrance = this.entrances.find(({ door }) => door.path === url?.pathname);
    if (url === undefined || entrance === undefined) return false;
    if (!originAllowed(this.settings, req)) {
      this.#refuse(socket, 403, "cors.origin_not_allowed", "This origin may not open sockets here.");
      return true;
    }
    const arrival: Arrival = {
      ...{ entrance, query: url.searchParams, cart: cookieCartToken(req.headers) },
      token: handshakeToken(url.searchParams.get("access_token"), req.headers),
    };
    const place = this.#placeFor(req, socket, arrival);
    if (place === undefined)
      this.#refuse(socket, 429, "socket.too_many_connections", "Too many connections; close some first.");
    else
      this.#wss.handleUpgrade(req, socket, head, (ws) => {
        this.#welcome(ws, socket, place, arrival);
      });
    return true;
  }

  /** Guests are counted at once; whoever brings a token, or is yet to send one, waits until that is verified. */
  #placeFor(req: IncomingMessage, socket: Duplex, { entrance, token }: Arrival): Place | undefined {
    const address = addressKey(this.#addressOf(req.socket.remoteAddress, req.headers["x-forwarded-for"]));
    const place =
      token === undefined && takesGuests(entrance.door)
        ? this.places.seat(address, GUEST)
        : this.places.enter(address, () => socket.destroy());
    if (place !== undefined) socket.once("close", () => place.leave());
    return place;
  }

  /** Heartbeats of all connections. */
  beat(now: number): void {
    for (const connection of this.#beats.values()) connection.beat(now);
  }

  #refuse(socket: Duplex, status: number, code: string, detail: string): void {
    this.context.counters.refused.inc();
    refuseUpgrade(socket, status, code, detail);
  }

  #welcome(ws: WebSocket, tcp: Duplex, place: Place, { entrance, query, cart, token }: Arrival): void {
    const { runtime, limits, counters } = this.context;
    const connection = new PlainConnection(ws, tcp, limits, runtime.clock);
    // Protocol errors of the client; `close` follows.
    ws.on("error", () => counters.frames_rotten.inc());
    const wish = readWish(
      query.get("after") ?? undefined,
      query.getAll("track").flatMap((tokens) => tokens.split(",")),
      limits.tracked_max,
      query.get("cart") ?? cart,
    );
    if (isRefusal(wish)) {
      counters.refused.inc();
      connection.close(closeReasonOf(wish), undefined);
      return;
    }
    const session = entrance.open(wish, connection, place);
    this.#beats.set(ws, connection);
    ws.on("message", (data: Buffer, isBinary: boolean) => {
      connection.heard(runtime.clock.now());
      if (isBinary) session.receiveBinary();
      else session.receiveText(data.toString());
    });
    ws.on("pong", () => connection.heard(runtime.clock.now()));
    ws.once("close", () => {
      this.#beats.delete(ws);
      session.ended();
    });
    session.open(token);
  }
}

/** The request's URL; undefined for one that is none. */
function urlOf(req: IncomingMessage): URL | undefined {
  const text = `http://forno${req.url ?? "/"}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Answers an upgrade with a problem document instead. */
export function refuseUpgrade(socket: Duplex, status: number, code: string, detail: string): void {
  const document = problemDocument(status, code, detail);
  const body = JSON.stringify(document);
  socket.once("error", () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${document.title}`,
      "Connection: close",
      "Content-Type: application/problem+json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(status === 429 || status === 503 ? ["Retry-After: 5"] : []),
      "",
      body,
    ].join("\r\n"),
  );
}
