import type { AssetsConfig } from "moleculer-web";
import type { ServerResponse } from "node:http";
import type { Replier } from "./reply";

/** A folder of plain files for browsers, served at `/`. */
export interface Pages {
  /** Absolute path; `/kitchen` is its `kitchen.html`. Hidden files and what lies outside are never served. */
  readonly folder: string;
  /** Path prefixes that are one page, e.g. `{ "/track/": "/track.html" }`. */
  readonly rewrites?: Readonly<Record<string, string>>;
}

/** Pages talk to their own server, sockets included, and to nobody else. */
const PAGE_CSP =
  "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** What protects a page: its policy, no frame around it, no address of it in other people's logs (it may hold a token). */
export function pageHeaders(policy: string): Readonly<Record<string, string>> {
  return { "Content-Security-Policy": policy, "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer" };
}

/** moleculer-web's settings for the pages, if there are any. */
export function pageAssets(pages: Pages | undefined, replier: Replier): { assets?: AssetsConfig } {
  if (pages === undefined) return {};
  const setHeaders = (res: ServerResponse): void => {
    replier.page(res.req, res);
    for (const [name, value] of Object.entries(pageHeaders(PAGE_CSP))) res.setHeader(name, value);
  };
  return {
    assets: {
      folder: pages.folder,
      options: {
        dotfiles: "ignore",
        extensions: ["html"],
        redirect: false,
        cacheControl: true,
        maxAge: 0,
        setHeaders,
      },
    },
  };
}
