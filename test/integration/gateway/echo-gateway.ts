import { connect, type AddressInfo } from "node:net";
import { Errors, ServiceBroker, type ServiceSchema } from "moleculer";
import { callerOf, commandOf, implement, implementCommand } from "../../../mixins/contract/implement";
import { RefusedError, UnavailableError, refuse } from "../../../mixins/contract/refusal";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import type { AppendOutcome, AppendUnit, CommandRecord } from "../../../mixins/event-log/event-log";
import { httpServerOf } from "../../../mixins/rest/http-server";
import type { Runtime } from "../../../mixins/runtime";
import { createHttpService } from "../../../services/gateway/http/http.service";
import type { HttpOptions } from "../../../services/gateway/http/gateway";
import { loadSettings } from "../../../settings";
import * as echo from "./echo.contract";

export const UUID = "01890a5d-ac96-774b-bcce-b302099a8057";
export const USER = "01890a5d-ac96-774b-bcce-b302099a8058";

/** Tokens are names of roles here. */
const verifier: TokenVerifier = {
  verify(token) {
    const role = (["manager", "customer", "cook"] as const).find((name) => name === token);
    if (token === "other-customer")
      return Promise.resolve({ role: "customer", user_id: UUID, branch_ids: null });
    if (role !== undefined) return Promise.resolve({ role, user_id: USER, branch_ids: null });
    if (token === "down")
      return Promise.reject(new UnavailableError("auth.unavailable", "Cannot look it up now."));
    return Promise.resolve(refuse("unauthorized", "auth.token_invalid", "This token is no good."));
  },
};

const FAILURES: Readonly<Record<string, () => unknown>> = {
  invalid: () =>
    new RefusedError(refuse("invalid", "echo.invalid", "No.", { errors: [{ path: "/how", message: "no" }] })),
  not_found: () => new RefusedError(refuse("not_found", "echo.unknown", "No.")),
  conflict: () =>
    new RefusedError(refuse("conflict", "echo.full", "No.", { next_free: ["10:00"], status: 200 })),
  unprocessable: () => new RefusedError(refuse("unprocessable", "echo.sold_out", "No.")),
  rate_limited: () => new RefusedError(refuse("rate_limited", "echo.hasty", "No.", { retry_after_s: 7 })),
  unavailable: () => new UnavailableError("echo.asleep", "Later.", { retry_after_s: 3 }),
  queue: () => new Errors.QueueIsFullError({ action: "echo.fail", nodeID: "x" }),
  timeout: () => new Errors.RequestTimeoutError({ action: "echo.fail", nodeID: "x" }),
  database: () => Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:5432"), { code: "ECONNREFUSED" }),
  defect: () => new Error("secret: the moon is made of cheese"),
  string: () => "a thrown string",
  cyclic: () => undefined,
};

function echoService(answers: Map<string, CommandRecord>): ServiceSchema {
  const log = {
    findAnswers: (ids: readonly string[]) =>
      Promise.resolve(ids.flatMap((id) => answers.get(id) ?? []).map((one) => ({ ...one, position: 1 }))),
    async append({ commands }: Pick<AppendUnit, "commands">): Promise<AppendOutcome> {
      const known = await log.findAnswers(commands.map(({ id }) => id));
      if (known.length > 0) return { status: "duplicate", answers: known };
      for (const command of commands) answers.set(command.id, command);
      return { status: "committed", position: 1 };
    },
  };
  const make = implementCommand(log, echo.makeEcho, {
    async run(ctx) {
      const { id, fingerprint } = commandOf(ctx);
      const [stored] = await log.findAnswers([id]);
      if (stored !== undefined) return refuse("conflict", "echo.full", "Only one of each.");
      answers.set(id, { id, fingerprint, answer: { ...ctx.params, command_id: id } });
      return { answer: answers.get(id)?.answer, position: 1, replayed: false };
    },
    respond: (answer) => answer as Record<string, unknown>,
  });
  const heard = (ctx: Parameters<typeof callerOf>[0]) => ({
    params: ctx.params,
    caller: callerOf(ctx),
    meta: { ...ctx.meta },
  });
  return {
    name: "echo",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: {
      read: implement(echo.readEcho, heard),
      list: implement(echo.listEcho, heard),
      make,
      change: implement(echo.changeEcho, heard),
      drop: implement(echo.dropEcho, () => null),
      fail: implement(echo.failEcho, (ctx) => {
        if (ctx.params.how === "silent") return new Promise<Record<string, unknown>>(() => undefined);
        const failure = FAILURES[ctx.params.how]?.();
        if (failure !== undefined) throw failure as Error;
        const loop: Record<string, unknown> = {};
        loop["loop"] = loop;
        return loop;
      }),
      cached: implement(echo.cachedEcho, () => ({ n: 1 })),
      raw: implement(echo.rawEcho, () => ({
        body: Buffer.from('{"hello":"raw"}'),
        content_type: "application/json",
        etag: '"r1"',
        max_age_s: 5,
      })),
      pile: implement(echo.pileEcho, (ctx) => {
        if (ctx.meta.api_key?.startsWith("wrong") === true)
          throw new RefusedError(refuse("unauthorized", "echo.key_unknown", "No."));
        return heard(ctx);
      }),
      greet: implement(echo.greetEcho, (ctx) => {
        if (ctx.params.give !== undefined) ctx.meta.new_device_token = ctx.params.give;
        return { carried: ctx.meta.device_token ?? null };
      }),
      knock: implement(echo.knockEcho, (ctx) => {
        // What a careless action leaves in its meta must not reach the next request.
        ctx.meta.caller = { role: "super_admin", user_id: "mallory", branch_ids: null };
        ctx.meta.replayed = true;
        return {};
      }),
    },
  };
}

/** A gateway over small contracts that say what they heard. */
export interface EchoGateway {
  readonly url: string;
  readonly port: number;
  readonly broker: ServiceBroker;
  /** What was logged as an error. */
  readonly defects: unknown[][];
  now_ms: number;
  ask(
    method: string,
    path: string,
    init?: Omit<RequestInit, "method"> & { json?: unknown },
  ): Promise<EchoAnswer>;
  /**
   * Sends bytes as they are and gives back all that comes until the other side closes. With `hang_up` this side closes at
   * once, for requests that are not complete; what takes longer than a few ticks is then not answered any more.
   */
  raw(bytes: string | Buffer, hang_up?: boolean): Promise<string>;
  stop(): Promise<void>;
}

export interface EchoAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export async function startEchoGateway(
  options: HttpOptions & { env?: Readonly<Record<string, string>> } = {},
): Promise<EchoGateway> {
  const broker = new ServiceBroker({ logger: false, nodeID: "echo", namespace: "test" });
  const settings = loadSettings({ PORT: "0", HOST: "127.0.0.1", ...options.env });
  const clock = { now: () => gateway.now_ms };
  const runtime = { broker, settings, clock } as unknown as Runtime;
  const defects: unknown[][] = [];
  broker.logger.error = (...args: unknown[]) => defects.push(args);
  broker.createService(echoService(new Map()));
  broker.createService(createHttpService(runtime, echo.echoContracts, verifier, options));
  const gateway: EchoGateway = {
    url: "",
    port: 0,
    broker,
    defects,
    now_ms: 1_000_000,
    async ask(method, path, { json, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (json !== undefined) headers.set("content-type", "application/json");
      const body = json === undefined ? init.body : JSON.stringify(json);
      const answer = await fetch(gateway.url + path, {
        ...init,
        method,
        headers,
        ...(body == null ? {} : { body }),
      });
      const text = await answer.text();
      const isJson = answer.headers.get("content-type")?.includes("json") === true && text !== "";
      return {
        status: answer.status,
        headers: answer.headers,
        text,
        body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
      };
    },
    raw: (bytes, hang_up = true) => sendRaw(gateway.port, bytes, hang_up),
    stop: () => broker.stop(),
  };
  await broker.start();
  const { port } = httpServerOf(broker).address() as AddressInfo;
  return Object.assign(gateway, { port, url: `http://127.0.0.1:${String(port)}` });
}

function sendRaw(port: number, bytes: string | Buffer, hang_up: boolean): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => {
      if (hang_up) socket.end(bytes);
      else socket.write(bytes);
    });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.once("close", () => {
      resolve(Buffer.concat(chunks).toString("latin1"));
    });
  });
}
