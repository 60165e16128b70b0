import { hash } from "node:crypto";
import { PARTITIONS } from "./event-log";

/**
 * Partition of a stream, 0 to {@link PARTITIONS} - 1: FNV-1a over UTF-16 code units, then mixed, because the low bits of
 * plain FNV-1a see only the low bits of its input. Stored with every event, so it may never change.
 */
export function partitionOf(stream_id: string): number {
  let hashed = 0x811c9dc5;
  for (let at = 0; at < stream_id.length; at += 1)
    hashed = Math.imul(hashed ^ stream_id.charCodeAt(at), 0x01000193);
  hashed = Math.imul(hashed ^ (hashed >>> 16), 0x85ebca6b);
  return ((hashed ^ (hashed >>> 13)) >>> 0) % PARTITIONS;
}

/**
 * First part of the ids of a stream's events: a hash of 88 bits, so that among a billion streams two alike are a matter of one
 * in a billion. Once a stream and not once an event, because hashing is a good part of what an append costs here.
 */
export function eventIdPrefix(stream_id: string): string {
  const hex = hash("sha1", stream_id, "hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-a${hex.slice(15, 18)}-${hex.slice(18, 22)}`;
}

/** Id of an event: a UUID (version 8) of its stream's hash and, in the last 32 bits, its version: the same wherever it is made. */
export function eventIdOf(prefix: string, version: number): string {
  return prefix + version.toString(16).padStart(8, "0");
}
