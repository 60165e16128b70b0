import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/**
 * The address that a client has. `peer` is the other end of the connection, `forwarded` the header X-Forwarded-For; both
 * as they came.
 */
export type ClientAddressOf = (
  peer: string | undefined,
  forwarded: string | readonly string[] | undefined,
) => string | undefined;

/** Whether a request came by TLS as far as its client sees it. */
export type IsSecure = (req: Pick<IncomingMessage, "socket" | "headers">) => boolean;

/**
 * Believes X-Forwarded-For only where a trusted proxy says it. Each proxy appends whom it heard from, so the list is read
 * from its end, as long as the one who wrote the entry is trusted: the first address that is not, is the client. What
 * stands before it the client may have made up.
 * @param trusted addresses and CIDR networks, checked by the settings.
 */
export function clientAddresses(trusted: readonly string[]): ClientAddressOf {
  if (trusted.length === 0) return (peer) => peer;
  const isProxy = proxyTest(trusted);
  return (peer, forwarded) => {
    if (peer === undefined || forwarded === undefined) return peer;
    return roadOf(peer, forwarded, isProxy).client;
  };
}

/**
 * Believes X-Forwarded-Proto as X-Forwarded-For is believed: only where a trusted proxy says it. Of a list the entry counts
 * that the proxy wrote who heard the client itself; entries before it the client may have made up.
 * @param trusted addresses and CIDR networks, checked by the settings.
 */
export function secureRequests(trusted: readonly string[]): IsSecure {
  const encrypted = (socket: object): boolean => "encrypted" in socket;
  if (trusted.length === 0) return ({ socket }) => encrypted(socket);
  const isProxy = proxyTest(trusted);
  return ({ socket, headers }) => {
    const said = headers["x-forwarded-proto"];
    const { remoteAddress } = socket;
    if (encrypted(socket)) return true;
    if (said === undefined || remoteAddress === undefined || !isProxy(remoteAddress)) return false;
    const schemes = said.toString().split(",");
    const { proxies } = roadOf(remoteAddress, headers["x-forwarded-for"] ?? "", isProxy);
    return schemes.at(-Math.min(proxies, schemes.length))?.trim().toLowerCase() === "https";
  };
}

/** Back along the proxies that may be believed: the first address that is none of them, and how many there were. */
function roadOf(
  peer: string,
  forwarded: string | readonly string[],
  isProxy: (address: string) => boolean,
): { client: string; proxies: number } {
  let client = peer;
  let proxies = isProxy(peer) ? 1 : 0;
  for (const entry of forwarded.toString().split(",").reverse()) {
    if (!isProxy(client)) break;
    const address = addressIn(entry.trim());
    // "unknown", or rubbish: nobody further away can be told apart.
    if (address === undefined) break;
    client = address;
    if (isProxy(client)) proxies += 1;
  }
  return { client, proxies };
}

function proxyTest(trusted: readonly string[]): (address: string) => boolean {
  const proxies = blockListOf(trusted);
  return (address) => proxies.check(address, familyOf(address));
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    if (prefix === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return list;
}

const familyOf = (address: string): "ipv4" | "ipv6" => (address.includes(":") ? "ipv6" : "ipv4");

/** `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; undefined for anything else. */
function addressIn(entry: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
  return isIP(bare) === 0 ? undefined : bare;
}
