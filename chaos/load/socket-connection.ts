import { io } from "socket.io-client";
import WebSocket from "ws";
import type { DoorName } from "../checks/evidence";

/** What both ways in bring: `{type,data,position}`, of events and about the connection itself. */
export interface SocketMessage {
  readonly type: string;
  readonly data: unknown;
  readonly position: number;
}

/** The same messages by two ways in: a path for plain WebSockets, a namespace of socket.io. */
const DOORS: Readonly<Record<DoorName, { readonly path: string; readonly namespace: string }>> = {
  kitchen: { path: "/api/v1/ws", namespace: "/kitchen" },
  erp: { path: "/api/v1/erp/ws", namespace: "/erp" },
  shop: { path: "/ws", namespace: "/shop" },
};

export interface SocketWish {
  /** Of the node, `http://…`. */
  readonly url: string;
  readonly door: DoorName;
  readonly token: string | undefined;
  readonly after: number;
  readonly track: string | undefined;
}

/** An open connection, or one that is being opened. */
export interface SocketConnection {
  ping(): void;
  /** Cuts it without goodbye. */
  cut(): void;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<void>;
}

/** By plain WebSocket. */
export function plainConnection(
  { url, door, token, after, track }: SocketWish,
  hear: (message: SocketMessage) => void,
): SocketConnection {
  const query = new URLSearchParams({
    after: String(after),
    ...(token === undefined ? {} : { access_token: token }),
    ...(track === undefined ? {} : { track }),
  });
  const socket = new WebSocket(`${url.replace("http", "ws")}${DOORS[door].path}?${query.toString()}`);
  const ended = new Promise<void>((resolve) => {
    socket.once("close", () => {
      resolve();
    });
  });
  // `close` follows.
  socket.on("error", () => undefined);
  socket.on("message", (bytes: Buffer) => {
    hear(JSON.parse(bytes.toString()) as SocketMessage);
  });
  return {
    ended,
    ping: () => {
      if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
    },
    cut: () => {
      socket.terminate();
    },
  };
}

/** By socket.io. */
export function ioConnection(
  { url, door, token, after, track }: SocketWish,
  hear: (message: SocketMessage) => void,
): SocketConnection {
  const auth = {
    after,
    ...(token === undefined ? {} : { token }),
    ...(track === undefined ? {} : { track: [track] }),
  };
  const options = { auth, transports: ["websocket"], forceNew: true, reconnection: false };
  const socket = io(`${url}${DOORS[door].namespace}`, options);
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = () => {
      socket.disconnect();
      resolve();
    };
  });
  socket.once("connect_error", end);
  socket.once("disconnect", end);
  socket.onAny((_type: string, message: SocketMessage) => {
    hear(message);
  });
  return { ended, ping: () => socket.emit("ping"), cut: end };
}
