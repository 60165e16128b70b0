import { BlockList, isIP } from "node:net";

/**
 * The address that a client has. `peer` is the other end of the connection, `forwarded` the header X-Forwarded-For; both
 * as they came.
 */
export type ClientAddressOf = (
  peer: string | undefined,
  forwarded: string | readonly string[] | undefined,
) => string | undefined;

/**
 * Believes X-Forwarded-For only where a trusted proxy says it. Each proxy appends whom it heard from, so the list is read
 * from its end, as long as the one who wrote the entry is trusted: the first address that is not, is the client. What
 * stands before it the client may have made up.
 * @param trusted addresses and CIDR networks, checked by the settings.
 */
export function clientAddresses(trusted: readonly string[]): ClientAddressOf {
  if (trusted.length === 0) return (peer) => peer;
  const proxies = blockListOf(trusted);
  const isProxy = (address: string): boolean => proxies.check(address, familyOf(address));
  return (peer, forwarded) => {
    if (peer === undefined || forwarded === undefined) return peer;
    let client = peer;
    for (const entry of forwarded.toString().split(",").reverse()) {
      if (!isProxy(client)) break;
      const address = addressIn(entry.trim());
      // "unknown", or rubbish: nobody further away can be told apart.
      if (address === undefined) break;
      client = address;
    }
    return client;
  };
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
