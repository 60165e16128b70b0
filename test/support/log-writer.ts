import { randomUUID } from "node:crypto";
import type { EventLog, NewEvent, Position } from "../../mixins/event-log/event-log";

type StreamEvent = NewEvent & { readonly stream_id: string };

/** Writes events to their streams without deciding anything, keeping count of the versions. The only writer of its streams. */
export class LogWriter {
  readonly #versions = new Map<string, number>();

  constructor(private readonly log: EventLog) {}

  /** One unit; resolves with the position of its last event. */
  async write(...events: readonly StreamEvent[]): Promise<Position> {
    const streams = Map.groupBy(events, ({ stream_id }) => stream_id);
    const outcome = await this.log.append({
      streams: [...streams].map(([stream_id, of]) => ({
        ...{ stream_id, stream_type: stream_id.split("-")[0] ?? "test" },
        expected_version: this.#versions.get(stream_id) ?? 0,
        events: of.map(({ type, data }) => ({ type, data })),
      })),
      commands: [{ id: randomUUID(), fingerprint: "", answer: {} }],
      meta: { actor: "test" },
    });
    if (outcome.status !== "committed") throw new Error(JSON.stringify(outcome));
    for (const [stream_id, of] of streams)
      this.#versions.set(stream_id, (this.#versions.get(stream_id) ?? 0) + of.length);
    return outcome.position;
  }
}
