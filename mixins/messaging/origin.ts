/** Which process sent a message, as its how-manieth. */
export interface Origin {
  readonly node: string;
  readonly n: number;
}

/** A message as it travels: its JSON with the member `origin` at the end. Other programs read it as it is. */
export function withOrigin(json: string, { node, n }: Origin): string {
  const open = json.slice(0, -1);
  return `${open}${open === "{" ? "" : ","}"origin":${JSON.stringify({ node, n })}}`;
}

/** What arrived; without an origin it is of another program. Undefined: no JSON object. */
export function readMessage(
  text: string,
): { readonly message: object; readonly origin: Origin | undefined } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { origin, ...message } = value as { origin?: unknown };
  return isOrigin(origin) ? { message, origin } : { message: value, origin: undefined };
}

function isOrigin(value: unknown): value is Origin {
  if (typeof value !== "object" || value === null) return false;
  const { node, n } = value as Partial<Record<keyof Origin, unknown>>;
  return typeof node === "string" && Number.isSafeInteger(n);
}

/** Processes that are remembered; a fleet has some tens, and each start is a new one. */
const SENDERS_MAX = 1_000;

/**
 * What was heard of each process: a message that comes by a second way, or after a later one of the same process, is not
 * handed over. That keeps the order where a way fails and another takes over in the middle.
 */
export class HeardSoFar {
  readonly #last = new Map<string, number>();

  /** Whether this one is new. */
  isNew({ node, n }: Origin): boolean {
    const last = this.#last.get(node) ?? -1;
    if (n <= last) return false;
    this.#last.delete(node);
    this.#last.set(node, n);
    if (this.#last.size > SENDERS_MAX)
      for (const oldest of this.#last.keys()) return this.#last.delete(oldest);
    return true;
  }
}
