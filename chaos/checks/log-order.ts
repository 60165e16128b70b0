import type { Evidence, Violation } from "./evidence";

/** Positions run from 1 to the head without a gap, and versions of every stream from 1 to where it stands. */
export function logOrder({
  events,
  head,
  stream_versions,
}: Pick<Evidence, "events" | "head" | "stream_versions">): Violation[] {
  const violations: Violation[] = [];
  const versions = new Map<string, number>();
  let last = 0;
  for (const { position, stream_id, version } of events) {
    if (position !== last + 1)
      violations.push({ promise: "log.gap", detail: `position ${position} comes after ${last}` });
    last = position;
    const before = versions.get(stream_id) ?? 0;
    if (version !== before + 1)
      violations.push({
        promise: "stream.gap",
        detail: `${stream_id} has version ${version} after ${before}, at position ${position}`,
      });
    versions.set(stream_id, version);
  }
  if (last !== head)
    violations.push({ promise: "log.head", detail: `the head is ${head}, the last event is at ${last}` });
  for (const [stream_id, version] of stream_versions)
    if (versions.get(stream_id) !== version)
      violations.push({
        promise: "stream.version",
        detail: `${stream_id} stands at ${version}, its events end at ${versions.get(stream_id) ?? 0}`,
      });
  return violations;
}
