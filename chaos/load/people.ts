import type { Person as Who } from "../checks/evidence";
import type { RestClient } from "./rest-client";

/** Access tokens live for a quarter of an hour. */
const FRESH_MS = 8 * 60_000;

/** Somebody who can sign in, and stays signed in. */
export class Person {
  #token: { readonly text: Promise<string>; readonly at_ms: number } | undefined;

  constructor(
    readonly who: Who,
    private readonly rest: RestClient,
    private readonly login: { readonly route: string; readonly body: object },
  ) {}

  readonly token = (): Promise<string> => {
    if (this.#token === undefined || performance.now() - this.#token.at_ms > FRESH_MS) {
      const text = this.#signIn();
      this.#token = { text, at_ms: performance.now() };
      text.catch(() => (this.#token = undefined));
    }
    return this.#token.text;
  };

  async #signIn(): Promise<string> {
    const { outcome, body } = await this.rest.ask({ method: "POST", ...this.login });
    if (outcome !== "acked") throw new Error(`${this.who.role} cannot sign in: ${JSON.stringify(body)}`);
    return (body as { token: string }).token;
  }
}

/** The super admin of a fleet. */
export async function signedInAdmin(rest: RestClient, password: string): Promise<Person> {
  const login = { route: "/api/v1/auth/super-admin/login", body: { username: "admin", password } };
  const { body } = await rest.ask({ method: "POST", ...login });
  const { user_id } = body as { user_id: string };
  return new Person({ role: "super_admin", user_id, branch_ids: null }, rest, login);
}

/** Opens an account that works at these branches. */
export async function hire(
  rest: RestClient,
  admin: Person,
  role: Extract<Who["role"], "manager" | "cook">,
  branch_ids: readonly string[],
): Promise<Person> {
  const email = `${role}.${branch_ids.join(".").slice(0, 40)}@chaos.example`;
  const password = "chaos, but in order";
  const { outcome, body } = await rest.ask({
    method: "POST",
    route: "/api/v1/auth/users",
    body: { role, name: role, email, password, branch_ids },
    key: email,
    token: admin.token,
  });
  if (outcome !== "acked") throw new Error(`No ${role} was hired: ${JSON.stringify(body)}`);
  const { user_id } = body as { user_id: string };
  return new Person({ role, user_id, branch_ids }, rest, {
    route: "/api/v1/auth/login",
    body: { email, password },
  });
}

/** Opens a customer's account, which orders for itself. */
export async function register(rest: RestClient, name: string): Promise<Person> {
  const email = `${name}@chaos.example`;
  const password = "hungry, but in order";
  const { outcome, body } = await rest.ask({
    method: "POST",
    route: "/api/v1/auth/register",
    body: { name, email, password },
    key: email,
  });
  if (outcome !== "acked") throw new Error(`No ${name} could register: ${JSON.stringify(body)}`);
  const { user_id } = body as { user_id: string };
  return new Person({ role: "customer", user_id, branch_ids: null }, rest, {
    route: "/api/v1/auth/login",
    body: { email, password },
  });
}
