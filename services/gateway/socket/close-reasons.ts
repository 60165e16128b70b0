import type { Refusal } from "../../../mixins/contract/refusal";
import type { Position } from "../../../mixins/event-log/event-log";
import { controlFrame, type Frame } from "./frame";

/** Why the server ends a connection. `code` is a WebSocket close code, `reason` a stable name (at most 123 bytes). */
export interface CloseReason {
  readonly code: number;
  readonly reason: string;
}

/** The close codes of Forno, beside the protocol's own (1002 protocol error, 1009 frame too large). */
export const CLOSE = {
  stopping: { code: 1001, reason: "server.stopping" },
  unavailable: { code: 1013, reason: "server.unavailable" },
  authTimeout: { code: 4408, reason: "auth.timeout" },
  slowConsumer: { code: 4413, reason: "socket.slow_consumer" },
  tooManyConnections: { code: 4429, reason: "socket.too_many_connections" },
  tooManyFrames: { code: 4429, reason: "socket.too_many_frames" },
} as const satisfies Record<string, CloseReason>;

/**
 * Why somebody is not, or no longer, let in: 4401 for credentials (bad, expired, revoked), 4403 for the wrong role, 4400
 * for a request that makes no sense. The reason is the refusal's code, e.g. `auth.token_expired`.
 */
export function closeReasonOf(refusal: Refusal): CloseReason {
  const code = refusal.refused === "unauthorized" ? 4401 : refusal.refused === "forbidden" ? 4403 : 4400;
  return { code, reason: refusal.code };
}

/** The last message of a connection: why it ends, and the position to come back at, here or at another node, if any. */
export function farewell({ code, reason }: CloseReason, now: number, resume_at: Position | undefined): Frame {
  return controlFrame("closing", { code, reason }, now, resume_at);
}
