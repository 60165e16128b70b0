import type { IncomingMessage } from "node:http";
import type { Settings } from "../../../settings";

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
