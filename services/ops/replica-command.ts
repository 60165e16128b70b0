import type { ReplicaReads } from "../../mixins/replica/reads";

/** What `replica status` prints: a row a publication, or why there is none. */
export async function replicaCommand(
  reads: ReplicaReads | undefined,
  what: unknown,
): Promise<string | readonly object[]> {
  if (what !== "status") return "replica status";
  if (reads === undefined) return "There is no replica: DATABASE_REPLICA_URL is not set.";
  await reads.look();
  const { state } = reads;
  if (state === undefined) return "The replica does not answer; every read goes to the primary.";
  if (state.differences.length > 0)
    return [...state.differences, "Reads go to the primary until npm run replica:setup has run."].join("\n");
  return state.parts.map(({ part, lag_ms, position, copied }) => ({
    part,
    read_from: reads.serves(part) ? "replica" : "primary",
    lag_ms: lag_ms ?? "no heartbeat",
    position,
    copied,
  }));
}
