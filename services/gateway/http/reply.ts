import type { CallMeta } from "../../../mixins/contract/caller";
import type { RawDocument } from "../../../mixins/contract/contract";
import { etagOf, matchesEtag } from "../../../mixins/rest/etag";
import type { HotDocument } from "../../../mixins/rest/hot-documents";
import { cartTokenHeaders } from "./cart-token";
import type { IsSecure } from "./client-address";
import type { CorsPolicy } from "./cors";
import type { Door } from "./door";
import { deviceTokenHeaders } from "./device-token";
import { guestTokenHeaders } from "./guest-token";
import { exchangeOf, type Request, type Response } from "./exchange";
import type { Problem } from "./problem";

/** Header names and values in turn. `writeHead` takes them like this in one go: ten `setHeader` cost 4 µs more. */
type Headers = readonly string[];

const NO_SNIFF: Headers = ["X-Content-Type-Options", "nosniff"];
/** An API answer is no page: nothing in it may run or load, and nobody may frame it. */
const API_CSP: Headers = ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"];
const JSON_TYPE: Headers = ["Content-Type", "application/json; charset=utf-8", ...API_CSP];
const PROBLEM_TYPE: Headers = [
  "Content-Type",
  "application/problem+json",
  ...API_CSP,
  "Cache-Control",
  "no-store",
];

/** Meta that an action may set for its own answer, as moleculer-web names it. */
export type ReplyMeta = CallMeta & {
  $statusCode?: number;
  $responseHeaders?: Readonly<Record<string, string>>;
};

/** Writes answers. One for each HTTP service. */
export class Replier {
  /** What of a hot document's headers never changes. */
  readonly #hotHeaders = new WeakMap<HotDocument, Headers>();

  readonly #stayEncrypted: Headers;

  /** @param hsts_s for how long browsers are to come by TLS only, once they came by it; 0: as they like. */
  constructor(
    private readonly cors: CorsPolicy,
    private readonly isSecure: IsSecure,
    hsts_s: number,
    private readonly answered: (req: Request, status: number) => void,
  ) {
    this.#stayEncrypted = hsts_s === 0 ? [] : ["Strict-Transport-Security", `max-age=${String(hsts_s)}`];
  }

  /** The result of an action. */
  result(req: Request, res: Response, door: Door, meta: ReplyMeta, data: unknown): void {
    const { contract, binding } = door;
    const status = meta.$statusCode ?? binding.status ?? 200;
    const more: string[] = [];
    if (meta.replayed === true) more.push("Idempotent-Replay", "true");
    if (meta.new_cart_token !== undefined)
      more.push(...cartTokenHeaders(meta.new_cart_token, this.isSecure(req)));
    if (meta.new_device_token !== undefined)
      more.push(...deviceTokenHeaders(meta.new_device_token, this.isSecure(req)));
    if (meta.$responseHeaders !== undefined) more.push(...Object.entries(meta.$responseHeaders).flat());
    if (contract.raw === true) {
      const document = data as RawDocument;
      const { etag } = document;
      this.#tagged(req, res, status, documentHeaders(document), etag, bytesOf(document.body), more);
      return;
    }
    const body = status === 204 || data === undefined ? undefined : JSON.stringify(data);
    if (body === undefined) this.#send(req, res, 204, more);
    else if (contract.cacheable === true && contract.kind === "query") {
      const etag = etagOf(body);
      const cache = req.headers.authorization === undefined ? "no-cache" : "private, no-cache";
      this.#tagged(req, res, status, [...JSON_TYPE, "Cache-Control", cache, "ETag", etag], etag, body, more);
    } else this.#send(req, res, status, [...JSON_TYPE, "Cache-Control", "no-store", ...more], body);
  }

  /** A hot document, by the shortest way there is. */
  hot(req: Request, res: Response, document: HotDocument): void {
    let headers = this.#hotHeaders.get(document);
    if (headers === undefined) {
      headers = hotHeaders(document);
      this.#hotHeaders.set(document, headers);
    }
    const { etag, body } = document;
    const own = [...this.#ownOf(req), ...this.cors.answer(req.headers.origin)];
    const fresh = etag !== undefined && matchesEtag(req.headers["if-none-match"], etag);
    this.answered(req, fresh ? 304 : 200);
    if (fresh) res.writeHead(304, [...own, "ETag", etag]).end();
    else res.writeHead(200, [...headers, ...own]).end(body);
  }

  /** A problem document. */
  problem(req: Request, res: Response, { document, headers }: Problem): void {
    const body = JSON.stringify({ ...document, request_id: exchangeOf(req).request_id });
    this.#send(req, res, document.status, [...PROBLEM_TYPE, ...Object.entries(headers).flat()], body);
  }

  /** An answer to OPTIONS: which methods there are, and to a preflight what another origin may send. */
  options(req: Request, res: Response, methods: readonly string[]): void {
    const preflight = req.headers["access-control-request-method"] !== undefined;
    const cors = preflight ? this.cors.preflight(req.headers.origin) : this.cors.answer(req.headers.origin);
    this.#send(req, res, 204, ["Allow", methods.join(", ")], undefined, cors);
  }

  /** What a page gets beside what the file server writes. */
  page(req: Request, res: Response): void {
    const own = [...this.#ownOf(req), ...NO_SNIFF, ...this.cors.answer(req.headers.origin)];
    for (let i = 0; i + 1 < own.length; i += 2) res.setHeader(own[i] ?? "", own[i + 1] ?? "");
  }

  /** What every answer to this request says, whatever it is. */
  #ownOf(req: Request): Headers {
    const id = ["X-Request-ID", exchangeOf(req).request_id];
    // RFC 6797: over plain HTTP it must not be said.
    return this.isSecure(req) ? [...id, ...this.#stayEncrypted] : id;
  }

  #tagged(
    req: Request,
    res: Response,
    status: number,
    headers: Headers,
    etag: string | undefined,
    body: string | Buffer,
    more: Headers,
  ): void {
    if (etag !== undefined && matchesEtag(req.headers["if-none-match"], etag))
      this.#send(req, res, 304, ["ETag", etag, ...more]);
    else this.#send(req, res, status, [...headers, ...more], body);
  }

  #send(
    req: Request,
    res: Response,
    status: number,
    headers: Headers,
    body?: string | Buffer,
    cors = this.cors.answer(req.headers.origin),
  ): void {
    this.answered(req, status);
    const { new_guest_token } = exchangeOf(req);
    const all = [...this.#ownOf(req), ...NO_SNIFF, ...cors, ...headers];
    if (new_guest_token !== undefined) all.push(...guestTokenHeaders(new_guest_token, this.isSecure(req)));
    if (body === undefined) {
      res.writeHead(status, all).end();
      return;
    }
    all.push("Content-Length", String(Buffer.byteLength(body)));
    res.writeHead(status, all).end(body);
  }
}

function documentHeaders({ content_type, etag, max_age_s }: RawDocument): string[] {
  const cache = max_age_s === undefined ? "no-cache" : `public, max-age=${String(max_age_s)}`;
  return [
    "Content-Type",
    content_type,
    "Cache-Control",
    cache,
    ...(etag === undefined ? [] : ["ETag", etag]),
  ];
}

function hotHeaders(document: HotDocument): Headers {
  const { headers = {}, body } = document;
  const policy = headers["Content-Security-Policy"] === undefined ? API_CSP : [];
  const length = ["Content-Length", String(Buffer.byteLength(body))];
  return [...NO_SNIFF, ...policy, ...documentHeaders(document), ...Object.entries(headers).flat(), ...length];
}

/** A Buffer that crossed the transporter as JSON arrives as `{type: "Buffer", data: [...]}`. */
function bytesOf(body: unknown): string | Buffer {
  if (typeof body === "string" || Buffer.isBuffer(body)) return body;
  return Buffer.from((body as { readonly data: readonly number[] }).data);
}
