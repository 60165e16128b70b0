import type { RawDocument } from "../contract/contract";
import { perBroker } from "../per-broker";

/** A {@link RawDocument} with further response headers, e.g. a content security policy of its own. */
export type HotDocument = RawDocument & { readonly headers?: Readonly<Record<string, string>> };

/** What is at a URL now. A promise is for what must be gathered first and few ask for. */
type HotSource = () => HotDocument | Promise<HotDocument> | undefined;

/**
 * Documents that the HTTP server answers in front of its router: a map look-up by the exact URL instead of a routed call.
 * Only for what everybody may read: requests that carry a token or a query string take the ordinary way.
 */
export class HotDocuments {
  readonly #sources = new Map<string, HotSource>();

  /**
   * Answers GET and HEAD of `path` with what `current` returns; undefined sends the request the ordinary way. Called for
   * every request, so it should return the same object until the document changes. Returns "withdraw".
   */
  register(path: string, current: HotSource): () => void {
    if (this.#sources.has(path)) throw new Error(`The hot document ${path} is registered twice.`);
    this.#sources.set(path, current);
    return () => {
      this.#sources.delete(path);
    };
  }

  /** The document at exactly this URL, if there is one now. */
  at(url: string): ReturnType<HotSource> {
    return this.#sources.get(url)?.();
  }

  /** Whether there may be a document at this URL. */
  has(url: string): boolean {
    return this.#sources.has(url);
  }
}

/** The hot documents of this node. */
export const hotDocumentsOf = perBroker(() => new HotDocuments());
