import { announcementOf } from "../../services/gateway/socket/announcements";
import { BY_TOKEN, entitlementsOf, orderTopic } from "../../services/gateway/socket/entitlements";
import { digestOf } from "./digest";
import type { Evidence, Heard, SocketRecord, Violation } from "./evidence";

/** Of one client so many violations are told; more of them say nothing new. */
const TOLD_MAX = 5;

/** Every socket client heard every message that was meant for it, once, in the log's order, as its role sees it. */
export function sockets({ events, sockets: records }: Pick<Evidence, "events" | "sockets">): Violation[] {
  return records.flatMap((record) => {
    const found = differences(record, expectedBy(record, events));
    const rest = found.length - TOLD_MAX;
    return rest > 0
      ? [...found.slice(0, TOLD_MAX), { promise: "socket.more", detail: `${record.name}: ${rest} more` }]
      : found;
  });
}

/** What a client should have heard. */
export function expectedBy(record: SocketRecord, events: Evidence["events"]): Heard[] {
  const { audience, caller, tracked, after, resyncs } = record;
  const entitlements = entitlementsOf(audience, caller);
  for (const order_id of tracked) entitlements.set(orderTopic(order_id), BY_TOKEN);
  const expected: Heard[] = [];
  for (const event of events) {
    const { position } = event;
    if (position <= after || resyncs.some(({ from, to }) => position > from && position <= to)) continue;
    const announcement = announcementOf(event);
    if (announcement?.audiences.includes(audience) !== true) continue;
    const data = announcement.topics
      .flatMap((topic) => entitlements.get(topic) ?? [])
      .map((role) => announcement.dataFor(role))
      .find((shown) => shown !== null);
    if (data !== undefined) expected.push({ type: announcement.type, position, digest: digestOf(data) });
  }
  return expected;
}

function differences({ name, heard }: SocketRecord, expected: readonly Heard[]): Violation[] {
  const violations: Violation[] = [];
  const wanted = new Map(expected.map((message) => [message.position, message]));
  const seen = new Set<number>();
  let last = 0;
  for (const { position, type, digest } of heard) {
    const detail = `${name}: ${type} at position ${position}`;
    const meant = wanted.get(position);
    if (seen.has(position)) violations.push({ promise: "socket.twice", detail });
    else if (meant === undefined) violations.push({ promise: "socket.not_meant", detail });
    else if (meant.type !== type || meant.digest !== digest)
      violations.push({ promise: "socket.other_content", detail });
    if (position < last)
      violations.push({ promise: "socket.out_of_order", detail: `${detail} after position ${last}` });
    seen.add(position);
    last = Math.max(last, position);
  }
  for (const { position, type } of expected)
    if (!seen.has(position))
      violations.push({ promise: "socket.missed", detail: `${name}: ${type} at position ${position}` });
  return violations;
}
