import { hash } from "node:crypto";

/** 2025-01-01: an id that was made in advance and still reads as a UUID of version 7. */
const EPOCH_HEX = (1_735_689_600_000).toString(16).padStart(12, "0");

/** The same name always has the same id: who makes a thing a second time, after a crash or in another start, finds the first. */
export function derivedUuid(name: string): string {
  const hex = hash("sha256", `forno ${name}`, "hex");
  return `${EPOCH_HEX.slice(0, 8)}-${EPOCH_HEX.slice(8)}-7${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`;
}
