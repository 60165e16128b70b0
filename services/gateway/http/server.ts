import { createServer, type Server } from "node:http";
import { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { problemDocument } from "./problem";
import { requestIdOf, type Request, type Response } from "./exchange";
import type { Settings } from "../../../settings";

/** Request line and headers together; beyond it 431. */
const HEADER_BYTES_MAX = 16 * 1024;
/** Node looks for what is late only so often, and by itself every 30 s. */
const LOOK_MS_MAX = 1_000;
/** Longer than the 60 s of common load balancers, so that it is they who close an idle connection. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How long the connections of a closed server may still bring requests. */
const LINGER_MS = 250;
const QUIET_MS = 0.3;
const QUIET_TURNS_MAX = 100;
/** How long a stopping server waits for answers under way before it cuts their connections. */
const GOODBYE_MS_MAX = 2_000;

/** How long a request may take to arrive, from its first byte on. */
export interface ArrivalLimits {
  readonly headers_ms_max: number;
  /** The whole of it, its body included. */
  readonly request_ms_max: number;
}

/** The limits that the settings say. */
export function arrivalLimits(settings: Pick<Settings, "HTTP_HEADERS_S" | "HTTP_REQUEST_S">): ArrivalLimits {
  return { headers_ms_max: settings.HTTP_HEADERS_S * 1_000, request_ms_max: settings.HTTP_REQUEST_S * 1_000 };
}

/**
 * The node's HTTP server, not yet listening. What cannot even be parsed, or does not arrive in time, is answered here, as a
 * problem document too.
 */
export function createHttpServer(
  handle: (req: Request, res: Response) => void,
  { headers_ms_max, request_ms_max }: ArrivalLimits,
): Server {
  const answering = new WeakMap<Duplex, { readonly req: Request; readonly res: Response }>();
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: Math.min(headers_ms_max, request_ms_max),
      requestTimeout: request_ms_max,
      connectionsCheckingInterval: Math.min(LOOK_MS_MAX, Math.ceil(headers_ms_max / 4)),
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      noDelay: true,
    },
    (req, res) => {
      answering.set(req.socket, { req, res });
      handle(req, res);
    },
  );
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    const { req, res } = answering.get(socket) ?? {};
    // Its answer is on the way already, to a body that nobody waits for: a second one would be read as of another request.
    if (req?.complete === false && res?.headersSent === true) socket.destroy();
    else refuseConnection(error.code, socket);
  });
  return server;
}

const UNPARSABLE: Readonly<Record<string, readonly [status: number, code: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "http.headers_too_large", "The address and headers are larger than 16 KiB."],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "http.body_too_large", "The body's chunk extensions are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "http.timeout", "The request did not arrive in time."],
};

function refuseConnection(error_code: string | undefined, socket: Duplex): void {
  if (!socket.writable || error_code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, code, detail] = UNPARSABLE[error_code ?? ""] ?? [
    400,
    "http.malformed",
    "This is not an HTTP/1.1 request.",
  ];
  const document = problemDocument(status, code, detail);
  const request_id = requestIdOf(undefined);
  const body = JSON.stringify({ ...document, request_id });
  const head = [
    `HTTP/1.1 ${String(status)} ${document.title}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    "Connection: close",
    `X-Request-ID: ${request_id}`,
    "X-Content-Type-Options: nosniff",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Resolves once the server listens. @throws the error of the socket, e.g. EADDRINUSE. */
export function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/**
 * Closes a server, if it listens: takes no new connection, lets those that are there bring what is on its way for
 * {@link LINGER_MS} (each answer asks its client to close), then closes those that are idle, and cuts what is left after
 * {@link GOODBYE_MS_MAX} (slow readers, upgraded sockets).
 *
 * A balancer that cannot repeat a request loses it when its connection is reset: one that was made and not yet accepted
 * when the server closes, or one that is closed for idleness while a request is on its way. Hence the quiet turn, and the
 * wait before idle connections go.
 */
export async function closed(server: Server, connections: Iterable<Duplex>): Promise<void> {
  if (!server.listening) return;
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, LINGER_MS);
  const cut = setTimeout(() => {
    for (const connection of connections) connection.destroy();
  }, GOODBYE_MS_MAX);
  await quietTurn();
  await new Promise<void>((resolve) => {
    // The HTTP server's own way closes idle connections at once.
    NetServer.prototype.close.call(server, () => {
      resolve();
    });
  });
  clearInterval(idle);
  clearTimeout(cut);
}

/** Resolves right after a turn of the event loop that had next to nothing to do: who has connected is accepted by now. */
async function quietTurn(): Promise<void> {
  for (let turn = 0; turn < QUIET_TURNS_MAX; turn += 1) {
    const begun = performance.now();
    await nextTurn();
    if (performance.now() - begun < QUIET_MS) return;
  }
}
