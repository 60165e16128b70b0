import { writeFileSync } from "node:fs";
import fc from "fast-check";
import type { Draft, Operation } from "../support/api-draft";
import { EMAIL, PASSWORD, requestFor } from "../support/api-requests";
import { ApiSession, operationsOf, type OpenApi } from "../support/api-session";
import { FornoUnderTest } from "../support/forno";

/** In each round every operation gets its requests, so that later rounds meet what earlier ones have left behind. */
const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 2);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const REQUESTS_PER_ROUND = 12;
/** Hashing a password takes a tenth of a second. */
const HASHING = /^auth_(super_admin_login|register|login|change_password|user_create|user_reset_password)$/;
const HASHINGS_PER_ROUND = 3;
/** A file for all that was found, and what each operation answered how often. */
const REPORT = process.env["FUZZ_REPORT"];

const NOTHING: Draft = { path: {}, query: [], body: undefined, raw: undefined, key: undefined };
/** Who has orders to ask about in each round. */
const ORDERING = ["guest", "customer", "admin", "guest", "customer"];
const AN_ORDER = {
  fulfilment: "pickup",
  payment_method: "cash",
  items: [{ name: "Маргарита", quantity: 1 }],
};

interface Account {
  readonly user_id: string;
  readonly token: string;
}

/** Everybody who may ask, with the token that they hold just now. */
class Callers {
  /** What a request must not name, lest it locks a caller out. */
  readonly secrets = new Set<unknown>();
  readonly #tokens = new Map<string, string>();
  #branch_ids: readonly string[] = [];
  #opened = 0;

  constructor(private readonly forno: FornoUnderTest) {}

  async open(): Promise<void> {
    const token = await this.forno.adminToken();
    const { body } = await this.forno.ask<Account>("GET", "/api/v1/auth/me", { token });
    this.secrets.add(body.user_id);
    const branches = await this.forno.ask<{ items: { branch_id: string }[] }>("GET", "/api/v1/branches");
    this.#branch_ids = branches.body.items.map(({ branch_id }) => branch_id);
  }

  async tokenOf(caller: string): Promise<string | undefined> {
    if (caller === "guest") return undefined;
    const token = this.#tokens.get(caller) ?? (await this.#signIn(caller));
    this.#tokens.set(caller, token);
    return token;
  }

  /** The token was revoked, by its owner's own request. */
  forget(caller: string): void {
    this.#tokens.delete(caller);
  }

  /** With a new account each time: the owner may have changed the old one's password to anything. */
  async #signIn(caller: string): Promise<string> {
    const admin = await this.forno.adminToken();
    if (caller === "admin") return admin;
    const email = `caller-${String(++this.#opened)}@${caller}.test`;
    const branches = caller === "cook" ? { branch_ids: this.#branch_ids } : {};
    const user = { name: "Anna", email, password: PASSWORD, role: caller, ...branches };
    const opened = await this.forno.ask<Account>("POST", "/api/v1/auth/users", { body: user, token: admin });
    this.secrets.add(email).add(opened.body.user_id);
    const login = { email, password: PASSWORD };
    // From an address of its own: the one of all other requests has guessed wrong too often.
    const headers = { "x-forwarded-for": `2001:db8:0:${this.#opened.toString(16)}::1` };
    const { status, body } = await this.forno.ask<Account>("POST", "/api/v1/auth/login", {
      body: login,
      headers,
    });
    expect(status).toBe(200);
    return body.token;
  }
}

describe("every operation of the OpenAPI document", () => {
  let forno: FornoUnderTest;
  let session: ApiSession;
  let operations: Operation[];
  let callers: Callers;

  beforeAll(async () => {
    forno = await FornoUnderTest.started({ TRUSTED_PROXIES: "127.0.0.1" });
    callers = new Callers(forno);
    await callers.open();
    const document = (await forno.ask<OpenApi>("GET", "/api/openapi.json")).body;
    session = new ApiSession(forno.url, document, callers.secrets);
    operations = operationsOf(document);
    const admin = await callers.tokenOf("admin");
    for (const operation of operations)
      if (operation.method === "GET" && !operation.parameters.some(({ required }) => required))
        await session.send(operation, NOTHING, admin);
    await send("auth_register", { name: "Anna", email: EMAIL, password: PASSWORD }, "guest");
    expect(session.outcomes["auth_register"]).toEqual({ "201": 1 });
  });
  afterAll(() => forno.remove());

  const anyCaller = fc.oneof(
    { weight: 8, arbitrary: fc.constant("admin") },
    ...["customer", "cook", "guest"].map((caller) => ({ weight: 2, arbitrary: fc.constant(caller) })),
  );

  async function send(id: string, body: object, caller: string): Promise<void> {
    const operation = operations.find((one) => one.id === id);
    if (operation === undefined) throw new Error(`There is no operation ${id}.`);
    await session.send(operation, { ...NOTHING, body }, await callers.tokenOf(caller));
  }

  it("answers as it promises whatever it is asked, and never with a 500", async () => {
    const found: Record<string, object> = {};
    const askAll = async (operation: Operation, seed: number): Promise<void> => {
      const numRuns = HASHING.test(operation.id) ? HASHINGS_PER_ROUND : REQUESTS_PER_ROUND;
      for (const [draft, caller] of fc.sample(fc.tuple(requestFor(operation), anyCaller), {
        seed,
        numRuns,
      })) {
        const exchange = await session.send(operation, draft, await callers.tokenOf(caller));
        if (exchange.code.startsWith("auth.token_")) callers.forget(caller);
        const faults = session.faultsOf(operation, exchange);
        if (faults.length > 0) found[`${operation.id}: ${faults.join("; ")}`] = { caller, ...exchange };
      }
    };
    for (let round = 0; round < ROUNDS; round++) {
      const seed = SEED + round * 1_000;
      const anyOrder = fc.shuffledSubarray(operations, { minLength: operations.length });
      for (const caller of ORDERING) await send("order_place", AN_ORDER, caller);
      for (const [i, operation] of (fc.sample(anyOrder, { seed, numRuns: 1 })[0] ?? []).entries())
        await askAll(operation, seed + i);
    }
    if (REPORT !== undefined)
      writeFileSync(REPORT, JSON.stringify({ outcomes: session.outcomes, found }, null, 1));
    expect(found).toEqual({});
    expect(forno.output).not.toContain("Defect");
    const outcomes = Object.values(session.outcomes).map((codes) => Object.keys(codes).join());
    expect(outcomes).toHaveLength(operations.length);
    // Whoever is only ever refused at the door has tested nothing behind it.
    expect(outcomes.filter((codes) => /\b20\d\b/.test(codes)).length).toBeGreaterThan(operations.length / 2);
  }, 3_600_000);
});
