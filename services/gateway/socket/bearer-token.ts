import type { IncomingMessage } from "node:http";

/**
 * The token that a handshake carries: the one that was given for the socket, else the header Authorization, for programs that
 * can set it. A token that cannot be one is returned all the same, for it to be refused by name: a client that believes it is
 * signed in must hear that it is not.
 */
export function handshakeToken(
  given: unknown,
  { authorization }: Pick<IncomingMessage["headers"], "authorization">,
): string | undefined {
  if (given !== undefined && given !== null) return typeof given === "string" ? given : "";
  if (authorization === undefined) return undefined;
  return /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization)?.[1] ?? "";
}
