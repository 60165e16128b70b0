import type { Server as HttpServer } from "node:http";
import { Server, type Namespace, type Socket } from "socket.io";
import { faultOf } from "../../../mixins/contract/fault";
import { isRefusal, refuse, type Refusal } from "../../../mixins/contract/refusal";
import type { Position } from "../../../mixins/event-log/event-log";
import type { Settings } from "../../../settings";
import { cookieCartToken } from "../http/cart-token";
import { clientAddresses } from "../http/client-address";
import { addressKey } from "../http/rate-limit";
import type { Place, Places } from "../places";
import { admit, type Identity } from "./admission";
import { readWish, type Wish } from "./client-frame";
import { CLOSE, farewell, type CloseReason } from "./close-reasons";
import { handshakeToken } from "./bearer-token";
import type { Door } from "./doors";
import type { Frame } from "./frame";
import { originAllowed } from "./origin-allowed";
import type { Connection } from "./outbox";
import type { Entrance, SessionContext } from "./session";
import { Wire } from "./socketio-wire";

export const SOCKET_IO_PATH = "/socket.io/";

/** What the handshake found, for the connection that follows it. */
interface Admitted {
  readonly identity: Identity;
  readonly wish: Wish;
  readonly place: Place;
}

const TOO_MANY = refuse(
  "rate_limited",
  CLOSE.tooManyConnections.reason,
  "Too many connections; close some first.",
);

/** One socket.io client in one namespace. */
class SocketIoConnection implements Connection {
  constructor(
    private readonly socket: Socket,
    private readonly context: SessionContext,
  ) {}

  /** Past socket.io's own emit, which would encode the packet again for every client. */
  send(frame: Frame, written: () => void): void {
    const { text, options } = frame.packet(this.socket.nsp.name);
    this.socket.conn.write(text, options, written);
  }

  /** socket.io has no close codes, so the reason goes ahead as a message. */
  close(reason: CloseReason, resume_at: Position | undefined): void {
    const { runtime, limits } = this.context;
    this.send(farewell(reason, runtime.clock.now(), resume_at), () => undefined);
    const { conn } = this.socket;
    const { code } = reason;
    // One connection carries several namespaces; only these reasons concern it as a whole.
    const wholeConnection = code === CLOSE.stopping.code || code === CLOSE.slowConsumer.code;
    this.socket.disconnect(wholeConnection);
    if (!wholeConnection) return;
    const cut = setTimeout(() => conn.close(true), limits.pong_ms_max).unref();
    conn.once("close", () => clearTimeout(cut));
  }
}

/** The way in by socket.io: a namespace an audience, heartbeat and fallback to long polling included. */
export class SocketIoDoor {
  readonly #io: Server;
  readonly #addressOf;
  readonly #wires = new WeakMap<Socket["conn"], Wire>();
  #isOpen = false;

  constructor(
    private readonly context: SessionContext,
    entrances: readonly Entrance[],
    private readonly places: Places,
    settings: Settings,
  ) {
    const { limits } = context;
    this.#addressOf = clientAddresses(settings.TRUSTED_PROXIES);
    this.#io = new Server({
      path: SOCKET_IO_PATH,
      serveClient: false,
      maxHttpBufferSize: limits.frame_bytes_max,
      pingInterval: limits.ping_interval_ms,
      pingTimeout: limits.pong_ms_max,
      connectTimeout: limits.auth_ms_max,
      perMessageDeflate: false,
      httpCompression: false,
      // Other paths of the same server are not engine.io's to close.
      destroyUpgrade: false,
      allowRequest: (req, callback) => callback(null, this.#isOpen && originAllowed(settings, req)),
      cors: {
        origin: (origin, callback) => callback(null, originAllowed(settings, { headers: { origin } })),
      },
    });
    const namespaces = entrances.map(({ door }) => door.namespace).join(", ");
    const detail = `Connect to one of ${namespaces}.`;
    // Nobody is at home in the main namespace.
    this.#io.use((_socket, next) => next(refusalError({ code: "socket.unknown_namespace", detail })));
    for (const entrance of entrances) this.#serve(entrance, this.#io.of(entrance.door.namespace));
  }

  attach(server: HttpServer): void {
    this.#io.attach(server);
    this.#io.engine.on("connection", (conn: Socket["conn"]) => {
      const address = this.#addressOf(conn.remoteAddress, conn.request.headers["x-forwarded-for"]);
      this.#wires.set(conn, new Wire(this.places, addressKey(address), conn));
    });
  }

  /** Takes connections from now on. */
  open(): void {
    this.#isOpen = true;
  }

  /** Ends what is left of the connections; the HTTP server is not ours to close. */
  close(): void {
    this.#isOpen = false;
    this.#io.engine.close();
  }

  #serve(entrance: Entrance, namespace: Namespace): void {
    namespace.use((socket, next) => {
      this.#handshake(entrance.door, socket).then(
        (refusal) => next(refusal && refusalError(refusal)),
        (error: unknown) => next(this.#failed(error)),
      );
    });
    namespace.on("connection", (socket) => this.#welcome(entrance, socket));
  }

  async #handshake(door: Door, socket: Socket): Promise<Refusal | undefined> {
    const { auth, query, headers } = socket.handshake;
    const { limits, verifier, counters } = this.context;
    const wish = readWish(
      auth["after"] ?? query["after"],
      auth["track"] ?? query["track"],
      limits.tracked_max,
      auth["cart"] ?? query["cart"] ?? cookieCartToken(headers),
    );
    const token = handshakeToken(auth["token"] ?? query["access_token"], headers);
    const admitted = isRefusal(wish) ? wish : this.#seated(socket, wish, await admit(door, token, verifier));
    if (isRefusal(admitted)) {
      counters.refused.inc();
      return admitted;
    }
    (socket.data as { admitted?: Admitted }).admitted = admitted;
    return undefined;
  }

  #seated({ conn }: Socket, wish: Wish, identity: Identity | Refusal): Admitted | Refusal {
    if (isRefusal(identity)) return identity;
    const place = this.#wires.get(conn)?.seat(identity.caller);
    return place === undefined ? TOO_MANY : { identity, wish, place };
  }

  #failed(error: unknown): Error {
    const fault = faultOf(error);
    if (fault === undefined) this.context.runtime.broker.logger.error("sockets: a handshake failed", error);
    return refusalError(fault ?? { code: "internal", detail: "Something broke on our side; it was logged." });
  }

  #welcome(entrance: Entrance, socket: Socket): void {
    const { admitted } = socket.data as { admitted?: Admitted };
    if (admitted === undefined) throw new Error("A socket was let in without a handshake.");
    const connection = new SocketIoConnection(socket, this.context);
    const session = entrance.open(admitted.wish, connection, admitted.place);
    socket.onAny((type: string, payload?: unknown) => {
      const fields =
        typeof payload === "object" && payload !== null && !Buffer.isBuffer(payload) ? payload : {};
      session.receive({ ...fields, type });
    });
    // Malformed packets; socket.io ends the connection by itself.
    socket.on("error", () => this.context.counters.frames_rotten.inc());
    socket.once("disconnect", () => {
      session.ended();
      this.#wires.get(socket.conn)?.left(admitted.place);
    });
    session.begin(admitted.identity);
  }
}

/** What the client gets as `connect_error`: its message, and code and detail in `data`. */
function refusalError({ code, detail }: { code: string; detail: string }): Error {
  return Object.assign(new Error(detail), { data: { code, detail } });
}
