import type { NewEvent } from "./event-log";

/**
 * Personal data in the log. An event's `data` is written in two parts: in the clear, with {@link ERASED} in place of every
 * text about a person, and those texts sealed with the key of its stream (see `sealing.ts`). Who reads the log gets them
 * put together again; once the key is gone, the clear part is all that there is, and already has the shape that it needs.
 */

/** Stands where something about a person was, and is no more. */
export const ERASED = "erased";

/** Whose data a stream holds: the account, the phone number that was given (E.164), or both; neither where nobody is known. */
export interface DataSubject {
  readonly person_id: string | null;
  readonly phone: string | null;
}

/** Where a text is in an event's data, one or two levels deep: `address`, `customer.phone`. */
export type TextPath = readonly [field: string, inner?: string];

/** What of the events of one type is personal. Declared beside the events; the log is given all of them. */
export interface PersonalData {
  readonly type: string;
  /** Texts, which may be null. */
  readonly paths: readonly TextPath[];
  readonly subjectOf: (data: object) => DataSubject;
}

/** Declares what of an event is personal. */
export function personalData<E extends NewEvent>(
  type: E["type"],
  fields: readonly TextsOf<E["data"]>[],
  subjectOf: (data: E["data"]) => DataSubject,
): PersonalData {
  return { type, paths: fields.map(pathOf), subjectOf: (data) => subjectOf(data) };
}

/** Names of the texts in an object, `field` or `field.inner`. */
type TextsOf<D extends object> = {
  [K in keyof D & string]: D[K] extends string | null
    ? K
    : D[K] extends object
      ? { [L in keyof D[K] & string]: D[K][L] extends string | null ? `${K}.${L}` : never }[keyof D[K] &
          string]
      : never;
}[keyof D & string];

/** Personal texts by the names of their places, e.g. `customer.phone`. */
export type Texts = Readonly<Record<string, string>>;

type Fields = Record<string, unknown>;

/** The texts at these paths; undefined: there are none. */
export function textsIn(data: object, paths: readonly TextPath[]): Texts | undefined {
  let texts: Record<string, string> | undefined;
  for (const path of paths) {
    const text = textAt(data, path);
    if (text !== undefined) (texts ??= {})[path.join(".")] = text;
  }
  return texts;
}

/** A copy of the data with {@link ERASED} at the paths where there is a text. */
export function withoutTexts(data: object, paths: readonly TextPath[]): object {
  const open: Fields = { ...data };
  for (const path of paths) {
    if (textAt(open, path) === undefined) continue;
    const [field, inner] = path;
    open[field] = inner === undefined ? ERASED : { ...(open[field] as object), [inner]: ERASED };
  }
  return open;
}

/** Puts texts back where they are missing: changes the object that it is handed, and nothing within. */
export function putBack(data: object, texts: Texts): void {
  for (const [name, text] of Object.entries(texts)) {
    const path = pathOf(name);
    if (textAt(data, path) !== ERASED) continue;
    const [field, inner] = path;
    if (inner === undefined) (data as Fields)[field] = text;
    else (data as Fields)[field] = { ...((data as Fields)[field] as Fields), [inner]: text };
  }
}

function pathOf(name: string): TextPath {
  const [field = "", inner] = name.split(".");
  return inner === undefined ? [field] : [field, inner];
}

function textAt(data: object, [field, inner]: TextPath): string | undefined {
  const value = (data as Fields)[field];
  const text =
    inner === undefined
      ? value
      : typeof value === "object" && value !== null
        ? (value as Fields)[inner]
        : undefined;
  return typeof text === "string" ? text : undefined;
}
