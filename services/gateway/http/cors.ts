import type { Settings } from "../../../settings";

const EXPOSED =
  "ETag, Idempotent-Replay, Retry-After, X-Request-ID, X-Cache, X-Cache-Strategy, Age, X-Cart-Token, X-Device-Token, X-Guest-Token";
const ALLOWED =
  "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-ID, X-Cart-Token, X-Device-Token, X-Guest-Token, traceparent";
const PREFLIGHT_MAX_AGE_S = 600;
const PREFLIGHT = [
  ...["Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE"],
  ...["Access-Control-Allow-Headers", ALLOWED],
  ...["Access-Control-Max-Age", String(PREFLIGHT_MAX_AGE_S)],
];

/** Which pages of other origins may read our answers. Tokens travel in a header, so credentials are never allowed. */
export interface CorsPolicy {
  /** What an answer to this origin needs, as names and values in turn. */
  answer(origin: string | undefined): readonly string[];
  /** What a preflight needs instead. */
  preflight(origin: string | undefined): readonly string[];
}

const NOTHING: readonly string[] = [];

/** The listed origins. Any origin is allowed only with the embedded database, where nobody listed one (or listed `*`). */
export function corsPolicy(settings: Pick<Settings, "CORS_ORIGINS" | "DATABASE_URL">): CorsPolicy {
  const listed = new Set(settings.CORS_ORIGINS);
  const anybody = settings.DATABASE_URL === undefined && (listed.size === 0 || listed.has("*"));
  // Caches must not give one origin what they stored for another.
  const vary = anybody || listed.size === 0 ? NOTHING : ["Vary", "Origin"];
  const answer = (origin: string | undefined): readonly string[] => {
    if (origin === undefined || !(anybody || listed.has(origin))) return vary;
    return [
      ...vary,
      "Access-Control-Allow-Origin",
      anybody ? "*" : origin,
      "Access-Control-Expose-Headers",
      EXPOSED,
    ];
  };
  return {
    answer,
    preflight(origin) {
      const allowed = answer(origin);
      return allowed === vary ? vary : [...allowed, ...PREFLIGHT];
    },
  };
}
