import type { KeyObject } from "node:crypto";
import { digestOf, type KeptKey } from "./data-keys";
import type { AppendUnit, NewEvent, StreamAppend } from "./event-log";
import { textsIn, withoutTexts, type DataSubject, type PersonalData } from "./personal-data";
import { newKey, sealText } from "./sealed-text";

/** The field of an event's `data`, as it is stored, that holds its personal texts. */
export const SEALED = "$sealed";

export interface SealedTexts {
  /** The event that they are of, see {@link eventName}. */
  readonly of: string;
  /** JSON, sealed with the key of the event's stream. */
  readonly text: string;
}

/** Names an event by stream and version. */
export const eventName = (stream_id: string, version: number): string => `${stream_id}@${String(version)}`;

/** The key that a unit seals a stream with. */
export interface StreamKey {
  readonly key: Buffer;
  /** To be kept with the unit. Else the stream has it already, and must have it still when the unit commits. */
  readonly is_new: boolean;
  /** Whose data it seals. */
  readonly person_id: string | null;
  readonly phone_digest: string | null;
}

/** `data` as it is to be stored; and its personal texts as JSON, for who gets the event from memory. */
export interface SealedData {
  readonly data: object;
  readonly texts: string | undefined;
}

export interface SealedStream {
  readonly events: readonly SealedData[];
  /** Undefined: nothing in it is sealed. */
  readonly key: StreamKey | undefined;
}

/**
 * Seals what is personal in events before they are written: crypto-shredding. Each stream that holds personal data has a key
 * of its own, kept in `es.data_key` under the persons whom it is about; a person is forgotten by deleting these keys.
 *
 * The key is made with the stream's first personal event and kept by the very append that writes it. So nobody looks a key
 * up to place an order, and no cache of keys can seal anything with one that was deleted meanwhile.
 */
export class Sealing {
  readonly #catalogue: ReadonlyMap<string, PersonalData>;

  constructor(
    catalogue: readonly PersonalData[],
    private readonly secret: KeyObject,
  ) {
    this.#catalogue = new Map(catalogue.map((personal) => [personal.type, personal]));
  }

  /** Streams of a unit that may have a key: it has to be known before they can be sealed. */
  streamsWithKeys({ streams }: AppendUnit): string[] {
    return streams
      .filter(
        ({ expected_version, events }) => expected_version > 0 && events.some((event) => this.#seals(event)),
      )
      .map(({ stream_id }) => stream_id);
  }

  seal({ stream_id, expected_version, events }: StreamAppend, kept: KeptKey): SealedStream {
    let key: StreamKey | undefined;
    const sealed = events.map((event, at): SealedData => {
      const personal = this.#catalogue.get(event.type);
      const texts = personal && textsIn(event.data, personal.paths);
      if (personal === undefined || texts === undefined) return { data: event.data, texts: undefined };
      const open = withoutTexts(event.data, personal.paths);
      // Who was erased stays erased, whatever is written about them later.
      if (kept === "erased") return { data: open, texts: undefined };
      key ??= kept === undefined ? this.#newKey(personal.subjectOf(event.data)) : usedKey(kept);
      const json = JSON.stringify(texts);
      const of = eventName(stream_id, expected_version + at + 1);
      const hidden: SealedTexts = { of, text: sealText(key.key, of, json) };
      return { data: { ...open, [SEALED]: hidden }, texts: json };
    });
    return { events: sealed, key };
  }

  #newKey({ person_id, phone }: DataSubject): StreamKey {
    const phone_digest = phone === null ? null : digestOf(this.secret, phone);
    return { key: newKey(), is_new: true, person_id, phone_digest };
  }

  #seals({ type, data }: NewEvent): boolean {
    const personal = this.#catalogue.get(type);
    return personal !== undefined && textsIn(data, personal.paths) !== undefined;
  }
}

function usedKey(key: Buffer): StreamKey {
  return { key, is_new: false, person_id: null, phone_digest: null };
}
