import type { KeptKey } from "./data-keys";
import type { RecordedEvent } from "./event-log";
import { putBack, type Texts } from "./personal-data";
import { openText } from "./sealed-text";
import { eventName, SEALED, type SealedTexts } from "./sealing";

type Stored = { readonly [SEALED]?: SealedTexts } | null;
type KeysOf = (stream_ids: readonly string[]) => Promise<ReadonlyMap<string, KeptKey>>;

/**
 * Puts the personal texts of events back in their places, with the keys as they are now. Where a key is gone, the event stays as
 * it was stored: erased. Keys are asked for once a batch, and not kept.
 */
export class Unsealing {
  constructor(
    private readonly keysOf: KeysOf,
    private readonly warn: (message: string) => void,
  ) {}

  async open(events: readonly RecordedEvent[]): Promise<RecordedEvent[]> {
    const sealed = new Set(events.filter(isSealed).map(({ stream_id }) => stream_id));
    if (sealed.size === 0) return [...events];
    const keys = await this.keysOf([...sealed]);
    return events.map((event) => (isSealed(event) ? this.#opened(event, keys.get(event.stream_id)) : event));
  }

  #opened(event: RecordedEvent, key: KeptKey): RecordedEvent {
    const { [SEALED]: hidden, ...data } = event.data as Record<string, unknown>;
    if (key instanceof Buffer) {
      const of = eventName(event.stream_id, event.version);
      try {
        putBack(data, JSON.parse(openText(key, of, (hidden as SealedTexts).text)) as Texts);
      } catch (error) {
        // One event that was damaged must not hold up the whole log; what is in the clear is true in any case.
        this.warn(`The event log cannot unseal ${of}: ${String(error)}`);
      }
    }
    return { ...event, data };
  }
}

/** Data as it was stored by this process, with its personal texts put back from memory. */
export function withTexts(stored: object, texts: string | undefined): object {
  const { [SEALED]: sealed, ...data } = stored as Record<string, unknown>;
  if (sealed === undefined) return stored;
  if (texts !== undefined) putBack(data, JSON.parse(texts) as Texts);
  return data;
}

function isSealed({ data }: RecordedEvent): boolean {
  return (data as Stored)?.[SEALED] !== undefined;
}
