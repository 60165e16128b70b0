import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Context } from "moleculer";
import type { ActionContract } from "../../../mixins/contract/contract";
import { UnavailableError } from "../../../mixins/contract/refusal";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import { readinessOf } from "../../../mixins/health/readiness";
import { metricsOf } from "../../../mixins/metrics/metrics";
import { hotDocumentsOf, type HotDocument } from "../../../mixins/rest/hot-documents";
import type { Runtime } from "../../../mixins/runtime";
import { admission } from "./admission";
import { secureRequests } from "./client-address";
import { corsPolicy } from "./cors";
import { Deadlines } from "./deadlines";
import { doorsOf, type Door } from "./door";
import { pathOf } from "./door-params";
import { exchangeOf, type Request, type Response } from "./exchange";
import { faultReporter } from "./fault-reporter";
import { frontOf } from "./front";
import { HttpMetrics } from "./http-metrics";
import { createOpsServer } from "./ops-server";
import type { Pages } from "./pages";
import { HttpRefusal, problemOf } from "./problem";
import { Replier, type ReplyMeta } from "./reply";
import { Router, type Found, type Routable } from "./router";
import { arrivalLimits, closed, createHttpServer, type ArrivalLimits } from "./server";

export interface HttpOptions {
  /** Called with the server before it listens, for whoever shares its port. See also `httpServerOf`. */
  readonly attach?: readonly ((server: Server) => void)[];
  /** Plain files for browsers. */
  readonly pages?: Pages;
  /** How long a request may wait for its answer; see {@link Deadlines}. */
  readonly answer_ms_max?: number;
}

/** What moleculer-web has hung on a request by the time that its action is called. */
export type RoutedRequest = Request & { $params: unknown; $ctx: { meta: ReplyMeta } };

const notFound = (): HttpRefusal =>
  new HttpRefusal(404, "http.not_found", "There is nothing at this address.");

const notAllowed = (method: string, allowed: readonly string[]): HttpRefusal =>
  new HttpRefusal(405, "http.method_not_allowed", `${method} is not possible here.`, {
    Allow: allowed.join(", "),
  });

const noAnswer = (): UnavailableError =>
  new UnavailableError(
    "http.no_answer",
    "Something that this needs does not answer. It may have been done: repeat it with the same Idempotency-Key.",
  );

/** The live half of the HTTP service: what its schema, which Moleculer clones, cannot hold. */
export class Gateway {
  readonly doors: ReadonlyMap<string, Door>;
  readonly replier: Replier;
  readonly #hot;
  readonly #readiness;
  readonly #report;
  readonly #admit;
  readonly #arrival: ArrivalLimits;
  readonly #connections = new Set<Socket>();
  #router = new Router<Routable>([]);

  /** @throws Error when two contracts share a door or a binding cannot work. */
  constructor(
    private readonly runtime: Runtime,
    contracts: readonly ActionContract[],
    auth: TokenVerifier,
    private readonly options: HttpOptions,
  ) {
    const { broker, settings, clock } = runtime;
    this.#arrival = arrivalLimits(settings);
    this.doors = new Map(doorsOf(contracts).map((door) => [door.title, door]));
    const metrics = new HttpMetrics(metricsOf(broker));
    this.replier = new Replier(
      corsPolicy(settings),
      secureRequests(settings.TRUSTED_PROXIES),
      settings.HSTS_S,
      (req, status) => {
        const exchange = exchangeOf(req);
        metrics.record(exchange, status);
        exchange.answered?.(status);
      },
    );
    this.#hot = hotDocumentsOf(broker);
    this.#readiness = readinessOf(broker);
    this.#report = faultReporter(broker.logger, clock);
    this.#admit = admission(runtime, auth);
  }

  /** The server, with everybody attached who shares it; `handle` is the ordinary way of a request. */
  createServer(handle: (req: Request, res: Response) => Promise<void>): Server {
    const deadlines = new Deadlines((req, res) => {
      this.fail(req, res, noAnswer());
    }, this.options.answer_ms_max);
    const front = frontOf({
      hot: this.#hot,
      replier: this.replier,
      answerHot: this.#answerHot,
      fail: this.fail,
      router: () => this.#router,
      closing: () => this.#readiness.phase === "stopping" && !server.listening,
      rewrites: this.options.pages?.rewrites ?? {},
      handle: (req, res) => deadlines.during(req, res, () => handle(req, res)),
    });
    const server: Server = createHttpServer(front, this.#arrival);
    server.on("connection", (socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
    });
    for (const attach of this.options.attach ?? []) attach(server);
    return server;
  }

  /** The server of OPS_PORT; undefined where there is none. */
  createOpsServer(): Server | undefined {
    const { broker, settings } = this.runtime;
    if (settings.OPS_PORT === undefined) return undefined;
    const { replier, fail } = this;
    return createOpsServer({ broker, doors: this.doors.values(), replier, fail, arrival: this.#arrival });
  }

  /** Takes moleculer-web's aliases into the router. */
  route(aliases: readonly Routable[]): void {
    this.#router = new Router(aliases);
  }

  /**
   * The alias of a request; undefined when nothing is at this path, or a hot document alone, which can only be read.
   * @throws HttpRefusal 405
   */
  find(path: string, method: string): Found<Routable> | undefined {
    const wanted = method === "HEAD" ? "GET" : method;
    const found = this.#router.find(wanted, path);
    if (found?.isDynamic === true && wanted !== "GET" && this.#hot.has(path)) return undefined;
    if (found !== undefined) return found;
    const methods = this.#router.methodsAt(path);
    if (methods.length === 0) return undefined;
    throw notAllowed(method, methods.includes("GET") ? ["HEAD", ...methods] : methods);
  }

  /** Identity, limits, parameters: what happens between the router and the action. */
  async admit(ctx: Context, req: RoutedRequest, alias: Routable): Promise<void> {
    const title = `${alias.method} ${alias.fullPath}`;
    const door = this.doors.get(title);
    if (door === undefined) throw new Error(`The alias ${title} has no contract.`);
    exchangeOf(req).door = door;
    const { params: path } = req.$params as { params: Record<string, unknown> };
    req.$params = await this.#admit(ctx, door, req, path);
  }

  /** Answers with the result of the action. */
  succeed(req: RoutedRequest, res: Response, result: unknown): void {
    const { door } = exchangeOf(req);
    if (door === undefined) throw new Error("An answer without a door.");
    if (!res.headersSent && !res.destroyed) this.replier.result(req, res, door, req.$ctx.meta, result);
  }

  /** Answers with the problem that an error stands for. Never throws. */
  readonly fail = (req: Request, res: Response, error: unknown): void => {
    const problem = problemOf(error);
    if (problem.kind !== "refusal") this.#report(req, problem, error);
    if (!res.headersSent && !res.destroyed) this.replier.problem(req, res, problem);
  };

  /** No route and no page: a hot document that was asked for with a query string or a token, or nothing. */
  miss(req: Request, res: Response): void {
    const document = this.#hot.at(pathOf(req.url ?? "/"));
    const { method = "" } = req;
    if (document === undefined) this.fail(req, res, notFound());
    else if (method === "GET" || method === "HEAD") this.#answerHot(req, res, document);
    else this.fail(req, res, notAllowed(method, ["GET", "HEAD"]));
  }

  /** Answers with a document, at once unless it must be gathered first. Never throws. */
  readonly #answerHot = (req: Request, res: Response, document: HotDocument | Promise<HotDocument>): void => {
    if (!(document instanceof Promise)) {
      this.replier.hot(req, res, document);
      return;
    }
    document
      .then((gathered) => {
        this.replier.hot(req, res, gathered);
      })
      .catch((error: unknown) => {
        this.fail(req, res, error);
      });
  };

  /** Sends no client here any more, lets answers under way finish and bounds how long they may take. */
  stop(server: Server): Promise<void> {
    this.#readiness.stopping();
    return closed(server, this.#connections);
  }
}
