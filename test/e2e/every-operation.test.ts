import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { EMAIL, PASSWORD, requestFor, type Draft, type Operation } from "../support/api-requests";
import { ApiSession, operationsOf, type OpenApi } from "../support/api-session";
import { FornoUnderTest } from "../support/forno";

/** `FUZZ_RUNS` requests an operation, drawn from `FUZZ_SEED`; many more than usual find what is rare. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 24);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** A file for all that was found, and what each operation answered. */
const REPORT = process.env["FUZZ_REPORT"];
/** Hashing a password takes a tenth of a second. */
const HASHING = /^auth_(super_admin_login|register|login|change_password|user_create|user_reset_password)$/;

const NOTHING: Draft = { path: {}, query: [], body: undefined, raw: undefined, key: undefined };

interface Account {
  readonly user_id: string;
  readonly token: string;
}
type SignIn = () => Promise<Account>;

/** Everybody who may ask, with the token that they hold just now. */
class Callers {
  readonly #tokens = new Map<string, string>();

  constructor(private readonly signIns: ReadonlyMap<string, SignIn>) {}

  async tokenOf(caller: string): Promise<string | undefined> {
    const signIn = this.signIns.get(caller);
    if (signIn === undefined) return undefined;
    const token = this.#tokens.get(caller) ?? (await signIn()).token;
    this.#tokens.set(caller, token);
    return token;
  }

  /** The token may have been revoked: by its owner's own request. */
  forget(caller: string): void {
    this.#tokens.delete(caller);
  }
}

describe("every operation of the OpenAPI document", () => {
  let forno: FornoUnderTest;
  let session: ApiSession;
  let operations: Operation[];
  let callers: Callers;

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    const document = (await forno.ask<OpenApi>("GET", "/api/openapi.json")).body;
    const admin = await forno.adminToken();
    const signInAs =
      (email: string): SignIn =>
      async () =>
        (await forno.ask<Account>("POST", "/api/v1/auth/login", { body: { email, password: PASSWORD } }))
          .body;
    const customer = { name: "Anna", email: EMAIL, password: PASSWORD };
    const cook = { ...customer, email: "asking@cooks.test", role: "cook" };
    const branches = await forno.ask<{ items: { branch_id: string }[] }>("GET", "/api/v1/branches");
    const branch_ids = branches.body.items.map(({ branch_id }) => branch_id);
    const accounts = [
      await forno.ask<Account>("GET", "/api/v1/auth/me", { token: admin }),
      await forno.ask<Account>("POST", "/api/v1/auth/register", { body: customer }),
      await forno.ask<Account>("POST", "/api/v1/auth/users", { body: { ...cook, branch_ids }, token: admin }),
    ];
    const own = new Set(accounts.map(({ body }) => body.user_id));
    expect([...own]).toEqual(accounts.map(() => expect.stringMatching(/^[\da-f-]{36}$/) as unknown));
    session = new ApiSession(forno.url, document, own);
    operations = operationsOf(document);
    for (const operation of operations)
      if (operation.method === "GET" && !operation.parameters.some(({ required }) => required))
        await session.send(operation, NOTHING, admin);
    const order = {
      fulfilment: "pickup",
      payment_method: "cash",
      items: [{ name: "Маргарита", quantity: 1 }],
    };
    const place = operations.find(({ id }) => id === "order_place");
    if (place === undefined) throw new Error("No order can be placed.");
    for (const token of [undefined, accounts[1]?.body.token, admin])
      await session.send(place, { ...NOTHING, body: order }, token);
    callers = new Callers(
      new Map([
        ["admin", async () => ({ user_id: "", token: await forno.adminToken() })],
        ["customer", signInAs(customer.email)],
        ["cook", signInAs(cook.email)],
      ]),
    );
  });
  afterAll(() => forno.remove());

  const anyCaller = fc.oneof(
    { weight: 8, arbitrary: fc.constant("admin") },
    ...["customer", "cook", "guest"].map((caller) => ({ weight: 2, arbitrary: fc.constant(caller) })),
  );

  it("answers as it promises whatever it is asked, and never with a 500", async () => {
    const found = new Map<string, unknown>();
    for (const operation of operations) {
      const numRuns = HASHING.test(operation.id) ? Math.ceil(RUNS / 4) : RUNS;
      for (const [draft, caller] of fc.sample(fc.tuple(requestFor(operation), anyCaller), {
        seed: SEED,
        numRuns,
      })) {
        const exchange = await session.send(operation, draft, await callers.tokenOf(caller));
        if (exchange.status === 401) callers.forget(caller);
        const faults = session.faultsOf(operation, exchange);
        if (faults.length > 0) found.set(`${operation.id}: ${faults.join("; ")}`, { caller, ...exchange });
      }
    }
    if (REPORT !== undefined)
      writeFileSync(
        REPORT,
        JSON.stringify({ outcomes: session.outcomes, found: Object.fromEntries(found) }, null, 1),
      );
    expect(Object.fromEntries(found)).toEqual({});
    expect(forno.output).not.toContain("Defect");
  }, 3_600_000);
});
