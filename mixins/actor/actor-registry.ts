import type { EventLog } from "../event-log/event-log";
import type { ActorHost } from "./actor-host";

/** The actors of one kind on this node, as operators see them. */
export interface HostedActors extends Pick<ActorHost<unknown, unknown>, "list" | "evict"> {
  readonly kind: string;
}

/** One log is one node: several nodes in one process, as in tests, stay apart. */
const hostsByLog = new WeakMap<EventLog, Set<HostedActors>>();

/** All actor hosts that write to this log. */
export function actorHostsOf(log: EventLog): readonly HostedActors[] {
  return [...(hostsByLog.get(log) ?? [])];
}

/** Makes a host known to operators; call the result when it stops. */
export function registerActorHost(log: EventLog, kind: string, host: Omit<HostedActors, "kind">): () => void {
  const hosts = hostsByLog.get(log) ?? new Set();
  hostsByLog.set(log, hosts);
  const entry: HostedActors = { kind, list: () => host.list(), evict: (stream_id) => host.evict(stream_id) };
  hosts.add(entry);
  return () => void hosts.delete(entry);
}
