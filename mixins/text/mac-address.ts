import { Type } from "@sinclair/typebox";
import { macAsTyped, readAs } from "./forms";

const PAIRS = "[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}";
const FOURS = "[0-9A-Fa-f]{4}(?:\\.[0-9A-Fa-f]{4}){2}";

/** The hardware address of a device, in any usual spelling. */
export const MacAddress = Type.String({
  ...readAs("mac"),
  pattern: `^(?:${PAIRS}|${FOURS}|[0-9A-Fa-f]{12})$`,
  maxLength: 17,
  description: "MAC address: AA:BB:CC:DD:EE:FF, AA-BB-CC-DD-EE-FF, AABB.CCDD.EEFF or AABBCCDDEEFF",
});

/** The one spelling in which addresses are kept and compared: AA:BB:CC:DD:EE:FF. */
export function normalMac(mac_address: string): string {
  const digits = macAsTyped(mac_address).replaceAll(/[:.-]/g, "");
  return digits.match(/../g)?.join(":") ?? digits;
}
