import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Door } from "./door";

/** What the gateway remembers of a request while it is under way. */
export interface Exchange {
  readonly request_id: string;
  /** Of `performance.now()`. */
  readonly started_ms: number;
  door?: Door;
  /** The guest is to carry this from now on, whatever the answer is. */
  new_guest_token?: string;
  /** Called once with the status of the answer. */
  answered?: (status: number) => void;
}

/** A request with its exchange; moleculer-web hangs its own members on the same object. */
export type Request = IncomingMessage & { exchange?: Exchange };
export type Response = ServerResponse;

/** What others send as a request id and may have in their logs; anything else is replaced. */
const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;

/** The id that a client or proxy gave the request, or a new one. */
export function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
}

/** The exchange of a request, begun at its first mention. */
export function exchangeOf(req: Request): Exchange {
  return (req.exchange ??= {
    request_id: requestIdOf(req.headers["x-request-id"]),
    started_ms: performance.now(),
  });
}
