/**
 * The network that a client's address belongs to: what one landlord of addresses usually has. IPv4: the /24; IPv6, of which an
 * address stands for its /64 already: the /48. Undefined for a call that comes from inside.
 * @param address as the gateway counts clients.
 */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || address === "") return undefined;
  if (address.includes(":")) return `${address.split(":").slice(0, 3).join(":")}/48`;
  const parts = address.split(".");
  return parts.length === 4 ? `${parts.slice(0, 3).join(".")}.0/24` : undefined;
}
