import type { HotDocument, HotDocuments } from "../../../mixins/rest/hot-documents";
import { pathOf } from "./door-params";
import type { Request, Response } from "./exchange";
import { HttpRefusal } from "./problem";
import { decodePercent } from "./query-string";
import type { Replier } from "./reply";

interface FrontParts {
  readonly hot: HotDocuments;
  readonly replier: Replier;
  readonly answerHot: (req: Request, res: Response, document: HotDocument | Promise<HotDocument>) => void;
  readonly fail: (req: Request, res: Response, error: unknown) => void;
  readonly router: () => { methodsAt(path: string): string[] };
  /** The server takes no new connections: those that are there should go when they have their answer. */
  readonly closing: () => boolean;
  /** Path prefixes that are one page, e.g. `/track/` → `/track.html`. */
  readonly rewrites: Readonly<Record<string, string>>;
  /** The ordinary way. */
  readonly handle: (req: Request, res: Response) => Promise<void>;
}

/** What stands before the router: hot documents, OPTIONS, and addresses that are not even addresses. */
export function frontOf(parts: FrontParts): (req: Request, res: Response) => void {
  const { hot, answerHot, fail } = parts;
  const rewrites = Object.entries(parts.rewrites);
  return (req, res) => {
    try {
      const { method, url = "/" } = req;
      if (parts.closing()) res.setHeader("Connection", "close");
      if ((method === "GET" || method === "HEAD") && req.headers.authorization === undefined) {
        const document = hot.at(url);
        if (document !== undefined) {
          answerHot(req, res, document);
          return;
        }
      }
      // Further in, everybody decodes: broken encoding ends here.
      if (url.includes("%")) decodePercent(pathOf(url), "path");
      if (method === "OPTIONS") {
        answerOptions(parts, req, res);
        return;
      }
      if (!url.startsWith("/"))
        throw new HttpRefusal(400, "http.bad_target", "The request target must be a path.");
      for (const [prefix, page] of rewrites) if (url.startsWith(prefix)) req.url = page;
      parts.handle(req, res).catch((error: unknown) => {
        fail(req, res, error);
      });
    } catch (error) {
      fail(req, res, error);
    }
  };
}

function answerOptions({ hot, replier, router }: FrontParts, req: Request, res: Response): void {
  const path = pathOf(req.url ?? "*");
  const methods = path === "*" ? ["GET", "POST", "PUT", "DELETE"] : router().methodsAt(path);
  const known = methods.length === 0 && hot.has(path) ? ["GET"] : methods;
  if (known.length === 0) throw new HttpRefusal(404, "http.not_found", "There is nothing at this address.");
  replier.options(req, res, [...(known.includes("GET") ? ["HEAD"] : []), ...known, "OPTIONS"]);
}
