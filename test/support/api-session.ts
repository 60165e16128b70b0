import { Ajv2020, type ValidateFunction } from "ajv/dist/2020";
import formats from "ajv-formats";
import { Around, Known, type Draft, type JsonSchema, type Operation } from "./api-draft";

/** What is needed of an OpenAPI document here. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

interface OpenApiOperation {
  readonly operationId: string;
  readonly parameters: readonly (Operation["parameters"][number] & { readonly $ref?: string })[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content & { readonly description?: string }>>;
}

/** An answer with the request that led to it, as a report shows them. */
export interface Exchange {
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly body?: string;
    readonly headers: object;
  };
  /** What was sent as JSON. */
  readonly sent: unknown;
  readonly status: number;
  readonly content_type: string;
  /** Of a problem document; else "". */
  readonly code: string;
  readonly body: unknown;
}

const VALUES_MAX = 40;

const ajv = formats(new Ajv2020({ strict: false, strictNumbers: true, allErrors: true }));

/** The operations of a document, in its order. */
export function operationsOf(document: OpenApi): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters, requestBody }]) => {
      const body = requestBody?.content?.["application/json"]?.schema;
      return {
        ...{ method: method.toUpperCase(), path, id: operationId },
        parameters: parameters.filter(({ $ref }) => $ref === undefined),
        ...(body === undefined ? {} : { body }),
      };
    }),
  );
}

/** Sends drafts to a running Forno, remembers what its answers hold, and says what is wrong with them. */
export class ApiSession {
  readonly #known = new Map<string, unknown[]>();
  /** How often each operation has answered with each status and code. */
  readonly outcomes: Record<string, Record<string, number>> = {};
  readonly #validators = new Map<JsonSchema, ValidateFunction>();

  /** `secret` values are never sent: with them a request could lock its own caller out. */
  constructor(
    private readonly url: string,
    private readonly document: OpenApi,
    private readonly secret: ReadonlySet<unknown>,
  ) {}

  /** Fills a draft in and sends it. */
  async send({ method, path, id, body: wanted }: Operation, draft: Draft, token?: string): Promise<Exchange> {
    const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      segment(this.#filled(draft.path[name])),
    );
    const query = draft.query.map(([name, value]) => `${name}=${encoded(this.#filled(value))}`).join("&");
    const url = `${this.url}${address}${query === "" ? "" : `?${query}`}`;
    const sent = this.#filled(draft.body);
    const body = wanted === undefined ? undefined : (draft.raw ?? JSON.stringify(sent));
    const headers = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(draft.key === undefined
        ? {}
        : { "idempotency-key": draft.key.replaceAll(/[^\x20-\x7e]/g, "\u00e9") }),
    };
    const answer = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
    });
    const text = await answer.text();
    const content_type = answer.headers.get("content-type") ?? "";
    const parsed = content_type.includes("json") && text !== "" ? (JSON.parse(text) as unknown) : text;
    const exchange: Exchange = {
      request: { method, url, headers, ...(body === undefined ? {} : { body: body.slice(0, 2_000) }) },
      sent: draft.raw === undefined ? sent : undefined,
      status: answer.status,
      content_type,
      code: answer.ok ? "" : String((parsed as { code?: unknown }).code),
      body: parsed,
    };
    const outcomes = (this.outcomes[id] ??= {});
    const outcome = `${String(answer.status)} ${exchange.code}`.trim();
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (answer.ok) this.#remember(parsed, "body");
    return exchange;
  }

  /** What an answer does that its operation does not promise. */
  faultsOf({ method, path, body }: Operation, exchange: Exchange): string[] {
    const responses = this.document.paths[path]?.[method.toLowerCase()]?.responses ?? {};
    const { status } = exchange;
    if (status >= 400) return this.#problemFaults(exchange, responses["4XX"]?.description ?? "");
    const promised = responses[String(status)];
    if (promised === undefined) return [`status ${String(status)} is not promised`];
    const accepted =
      body === undefined || exchange.sent === undefined || this.#misfits(body, exchange.sent).length === 0
        ? []
        : ["accepted a body that does not fit its schema"];
    const schema = promised.content?.["application/json"]?.schema;
    return [...accepted, ...(schema === undefined ? [] : this.#misfits(schema, exchange.body))];
  }

  #problemFaults({ status, content_type, code, body }: Exchange, refusals: string): string[] {
    const { Problem } = this.document.components.schemas;
    const { status: said } = body as { status?: unknown };
    return [
      ...(status >= 500 ? [`status ${String(status)}`] : []),
      ...(content_type.startsWith("application/problem+json") ? [] : [`content type ${content_type}`]),
      ...(Problem === undefined ? ["no schema for problems"] : this.#misfits(Problem, body)),
      ...(said === status ? [] : [`the document says status ${String(said)}`]),
      ...(refusals.includes(`\`${code}\``) ? [] : [`code ${code} is not in the operation's refusals`]),
    ];
  }

  #misfits(schema: JsonSchema, value: unknown): string[] {
    let fits = this.#validators.get(schema);
    if (fits === undefined) {
      // What it refers to stands in the document beside it.
      fits = ajv.compile({ ...schema, components: this.document.components });
      this.#validators.set(schema, fits);
    }
    return fits(value)
      ? []
      : (fits.errors ?? [])
          .slice(0, 5)
          .map((one) => `${one.instancePath} ${one.message ?? ""} ${JSON.stringify(one.params)}`);
  }

  /** Replaces placeholders by what they stand for; a value that was never seen becomes something made up. */
  #filled(value: unknown): unknown {
    if (value instanceof Known) {
      const seen = this.#known.get(value.name);
      return seen === undefined ? this.#filled(value.otherwise) : seen[value.pick % seen.length];
    }
    if (value instanceof Around) {
      const time = new Date(Date.now() + value.minutes * 60_000).toISOString();
      return value.is_date ? time.slice(0, 10) : time;
    }
    if (Array.isArray(value)) return value.map((item) => this.#filled(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.#filled(item)]));
  }

  #remember(value: unknown, name: string): void {
    if (Array.isArray(value)) for (const item of value.slice(0, 10)) this.#remember(item, name);
    else if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value)) {
        this.#remember(item, key);
        if (typeof item === "string") this.#keep(`${name}.${key}`, item);
      }
    else if (value !== null && !this.secret.has(value)) {
      this.#keep(name, value);
      if (name === "track_url") this.#keep("token", textOf(value).split("/").at(-1));
    }
  }

  #keep(name: string, value: unknown): void {
    const seen = this.#known.get(name) ?? [];
    if (seen.includes(value)) return;
    seen.push(value);
    // The newest are worth most, the first ones never age: cursors and drafts come and go, the seed data stay.
    if (seen.length > VALUES_MAX) seen.splice(VALUES_MAX / 2, 1);
    this.#known.set(name, seen);
  }
}

/** Half a surrogate pair cannot be in a URL but as the bytes that UTF-8 forbids. */
function encoded(value: unknown): string {
  const text = textOf(value);
  return text.isWellFormed() ? encodeURIComponent(text.slice(0, 3_000)) : "%ED%A0%80";
}

/** A path segment that stays one: an empty one or dots would make another path of it. */
function segment(value: unknown): string {
  const text = encoded(value);
  return /^(\.|%2E)*$/i.test(text) ? "%20" : text;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
