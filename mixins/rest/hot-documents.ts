import type { RawDocument } from "../contract/contract";
import { perBroker } from "../per-broker";

/** A {@link RawDocument} with further response headers, e.g. a content security policy of its own. */
export type HotDocument = RawDocument & { readonly headers?: Readonly<Record<string, string>> };

/**
 * Documents that the HTTP server answers in front of its router: a map look-up by the exact URL instead of a routed call.
 * Only for what everybody may read: requests that carry a token or a query string take the ordinary way.
 */
export class HotDocuments {
  readonly #sources = new Map<string, () => HotDocument | undefined>();

  /**
   * Answers GET and HEAD of `path` with what `current` returns; undefined sends the request the ordinary way. Called for
   * every request, so it should return the same object until the document changes. Returns "withdraw".
   */
  register(path: string, current: () => HotDocument | undefined): () => void {
    if (this.#sources.has(path)) throw new Error(`The hot document ${path} is registered twice.`);
    this.#sources.set(path, current);
    return () => {
      this.#sources.delete(path);
    };
  }

  /** The document at exactly this URL, if there is one now. */
  at(url: string): HotDocument | undefined {
    return this.#sources.get(url)?.();
  }
}

/** The hot documents of this node. */
export const hotDocumentsOf = perBroker(() => new HotDocuments());
