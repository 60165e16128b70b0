import type { IncomingMessage } from "node:http";
import type { Settings } from "../../../settings";
import { addressKey } from "../http/rate-limit";
import type { SocketLimits } from "./socket-limits";

/** Counts connections, all and by address, and says when there are too many. */
export class ConnectionCount {
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  constructor(private readonly limits: Pick<SocketLimits, "clients_max" | "connections_per_address">) {}

  /** Whether one more connection may come from this address. */
  hasRoom(address: string | undefined): boolean {
    const here = this.#byAddress.get(addressKey(address)) ?? 0;
    return this.#all < this.limits.clients_max && here < this.limits.connections_per_address;
  }

  /** Counts a connection; returns "gone", which counts once. */
  add(address: string | undefined): () => void {
    const key = addressKey(address);
    this.#all++;
    this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1);
    let counted = true;
    return () => {
      if (!counted) return;
      counted = false;
      this.#all--;
      const left = (this.#byAddress.get(key) ?? 1) - 1;
      if (left === 0) this.#byAddress.delete(key);
      else this.#byAddress.set(key, left);
    };
  }
}

/**
 * Whether a page of this origin may open a socket: our own pages, and those of the listed origins; with the embedded
 * database, where nobody listed one, any. Programs that are no browser send no origin.
 */
export function originAllowed(
  settings: Pick<Settings, "CORS_ORIGINS" | "DATABASE_URL">,
  { headers: { origin, host } }: Pick<IncomingMessage, "headers">,
): boolean {
  const { CORS_ORIGINS: listed, DATABASE_URL } = settings;
  if (origin === undefined || listed.includes(origin)) return true;
  if (DATABASE_URL === undefined && (listed.length === 0 || listed.includes("*"))) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
