import { status as Code, type ServiceError } from "@grpc/grpc-js";
import { doorsOf } from "../../services/gateway/http/door";
import { DOORS } from "../../services/gateway/socket/doors";
import { CONTRACTS } from "../support/contracts";
import { FornoUnderTest, type Answer } from "../support/forno";
import type { Stream } from "../support/grpc-client";
import { EXAMPLES, GRPC_EXAMPLES, type Asked, type Example } from "../support/rights.examples";
import { EVERYBODY, goldenRights, rightsLine, type Letter, type Rights } from "../support/rights.golden";
import { heardBy, maySubscribe } from "../support/rights.listeners";
import { RightsWorld } from "../support/rights.world";

/** Every operation, asked by every role at its own branch and at a foreign one, against a table that a person has approved. */
describe("who may do what", () => {
  let forno: FornoUnderTest;
  let world: RightsWorld;
  const golden = goldenRights();
  const operations = doorsOf(CONTRACTS).map(({ title }) => title);
  const listeners = DOORS.flatMap(({ path, namespace }) => [`WS ${path}`, `IO ${namespace}`]);

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    world = await RightsWorld.open(forno);
  });
  afterAll(async () => {
    world.close();
    await forno.remove();
  });

  it("is written down for every operation there is, and for no other", () => {
    const all = [...operations, ...Object.keys(GRPC_EXAMPLES), ...listeners, "WS /subscribe", "IO /cameras"];
    expect([...golden.keys()].sort()).toEqual(all.sort());
    expect(Object.keys(EXAMPLES).sort()).toEqual(operations.toSorted());
  });

  it.each(operations)("%s", async (operation) => {
    const asked = EXAMPLES[operation];
    if (asked === undefined) throw new Error(`There is no example of ${operation}.`);
    expectGolden(operation, await rightsOf(operation, asked));
  });

  it.each(Object.keys(GRPC_EXAMPLES))("%s", async (method) => {
    const example = GRPC_EXAMPLES[method];
    if (example === undefined) throw new Error(`There is no example of ${method}.`);
    const at = async (which: "own" | "foreign"): Promise<string> => {
      let letters = "";
      for (const who of EVERYBODY) {
        const request = await example(world.placeOf(which), world.chain);
        letters += grpcVerdictOf(who, await grpcCode(method, request, world.tokenOf(who)));
      }
      return letters;
    };
    expectGolden(method, { own: await at("own"), foreign: await at("foreign") });
  });

  it("sockets: who comes in, and who hears of an order at the own and at a foreign branch", async () => {
    const found = await heardBy(forno, world);
    for (const listener of listeners) expectGolden(listener, found[listener] ?? { own: "?" });
  });

  it.each(["WS /subscribe", "IO /cameras"] as const)("%s", async (way) => {
    const at = async (which: "own" | "foreign"): Promise<string> => {
      let letters = "";
      for (const who of EVERYBODY)
        letters += (await maySubscribe(way, forno.port, world.tokenOf(who), world.placeOf(which)))
          ? who
          : "-";
      return letters;
    };
    expectGolden(way, { own: await at("own"), foreign: await at("foreign") });
  });

  function expectGolden(operation: string, found: Rights): void {
    expect(rightsLine(operation, found)).toBe(rightsLine(operation, golden.get(operation) ?? { own: "?" }));
  }

  async function grpcCode(method: string, request: object, token?: string): Promise<[number, string]> {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const name = method.replace("GRPC ", "");
    if (name === "WatchOrder") return firstOf(world.grpc.stream(name, request, headers));
    const { error } = await world.grpc.call(name, request, headers);
    return [error?.code ?? 0, error?.details ?? ""];
  }

  async function rightsOf(operation: string, asked: Asked): Promise<Rights> {
    if ("anywhere" in asked)
      return { own: await verdicts(operation, () => asked.anywhere(world.chain, world.placeOf("own"))) };
    const at = (which: "own" | "foreign") =>
      verdicts(operation, () => asked.at(world.placeOf(which), world.chain));
    return { own: await at("own"), foreign: await at("foreign") };
  }

  async function verdicts(operation: string, example: () => Example | Promise<Example>): Promise<string> {
    let letters = "";
    for (const who of EVERYBODY) {
      const answer = await ask(operation, await example(), who);
      letters += verdictOf(who, answer);
      // An example that is not understood would say nothing of rights.
      if (answer.status === 400) throw new Error(`${operation}: ${JSON.stringify(answer.body)}`);
    }
    return letters;
  }

  async function ask(
    operation: string,
    { path = {}, query, body, headers = {} }: Example,
    who: Letter,
  ): Promise<Answer<{ code?: string }>> {
    const [method = "", route = ""] = operation.split(" ");
    const filled = route.replaceAll(/:(\w+)/g, (_, name: string) =>
      encodeURIComponent(path[name] ?? `:${name}`),
    );
    const search = query === undefined ? "" : `?${new URLSearchParams(query).toString()}`;
    return forno.ask(method, filled + search, { body, headers, token: world.tokenOf(who) });
  }
});

/** What a stream says first: a message, or why not. */
function firstOf(stream: Stream): Promise<[number, string]> {
  return new Promise((resolve) => {
    stream.on("data", () => {
      resolve([0, ""]);
      stream.cancel();
    });
    stream.on("error", ({ code, details }: ServiceError) => {
      resolve([code, details]);
    });
  });
}

function grpcVerdictOf(who: Letter, [code, details]: [number, string]): string {
  const name = Code[code];
  if (name === "INVALID_ARGUMENT") throw new Error(details);
  if (name === "PERMISSION_DENIED" || name === "UNAUTHENTICATED") return "-";
  return name === "NOT_FOUND" ? "." : who;
}

/** Refusals of the trade and of parameters come after the question who asks. */
function verdictOf(who: Letter, { status, body }: Answer<{ code?: string }>): string {
  if (status === 403 || body.code === "auth.required") return "-";
  if (status === 404) return ".";
  return who;
}
