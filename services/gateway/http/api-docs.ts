import { readFileSync } from "node:fs";
import path from "node:path";
import type { ActionContract } from "../../../mixins/contract/contract";
import { etagOf } from "../../../mixins/rest/etag";
import type { HotDocument, HotDocuments } from "../../../mixins/rest/hot-documents";
import { openApiOf } from "./openapi";
import { pageHeaders } from "./pages";

/** Everything comes from this server, so the page works without the Internet; Swagger UI styles itself inline. */
const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Forno API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: "/api/openapi.json", dom_id: "#api", deepLinking: true, docExpansion: "none", filter: true, validatorUrl: null });
`;

const ASSETS: Readonly<Record<string, string>> = {
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
  "favicon-32x32.png": "image/png",
};
const ASSET_MAX_AGE_S = 3600;

/** Puts the OpenAPI document at `/api/openapi.json` and a page to try it at `/api/docs`. */
export function registerApiDocs(hot: HotDocuments, contracts: readonly ActionContract[]): void {
  const page = (body: string, content_type: string): HotDocument => ({
    body: Buffer.from(body),
    content_type,
    etag: etagOf(body),
    headers: pageHeaders(DOCS_CSP),
  });
  register(hot, "/api/openapi.json", () =>
    page(JSON.stringify(openApiOf(contracts)), "application/json; charset=utf-8"),
  );
  register(hot, "/api/docs", () => page(PAGE, "text/html; charset=utf-8"));
  register(hot, "/api/docs/", () => page(PAGE, "text/html; charset=utf-8"));
  register(hot, "/api/docs/start.js", () => page(START, "text/javascript; charset=utf-8"));
  const folder = path.dirname(require.resolve("swagger-ui-dist/package.json"));
  for (const [name, content_type] of Object.entries(ASSETS))
    register(hot, `/api/docs/${name}`, () => {
      const body = readFileSync(path.join(folder, name));
      return { body, content_type, etag: etagOf(body), max_age_s: ASSET_MAX_AGE_S };
    });
}

/** Made at the first request: nobody who only orders pizza pays for the documentation. */
function register(hot: HotDocuments, url: string, make: () => HotDocument): void {
  let document: HotDocument | undefined;
  hot.register(url, () => (document ??= make()));
}
