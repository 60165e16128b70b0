import type { Server } from "node:http";
import type { Context, Service, ServiceSchema } from "moleculer";
import ApiGateway from "moleculer-web";
import type { ActionContract } from "../../../mixins/contract/contract";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import { hotDocumentsOf } from "../../../mixins/rest/hot-documents";
import { setHttpServer, setOpsServer } from "../../../mixins/rest/http-server";
import type { Runtime } from "../../../mixins/runtime";
import { registerApiDocs } from "./api-docs";
import type { Request, Response } from "./exchange";
import { Gateway, type HttpOptions, type RoutedRequest } from "./gateway";
import { pathOf } from "./door-params";
import { pageAssets } from "./pages";
import type { Found, Routable } from "./router";
import { listening } from "./server";

/** The members of moleculer-web's service that are touched here. */
type WebService = Service & {
  server: Server;
  /** Monitors ask a node that has still to catch up with the log how far it is. */
  opsListening: Promise<void> | undefined;
  aliases: Routable[];
  httpHandler(req: Request, res: Response): Promise<void>;
};

/**
 * REST on moleculer-web: it hosts the routes and makes the calls; what it would guess, log or leak is replaced.
 * Routing, parameters, identity, idempotency, errors and answers follow the contracts, and nothing else is reachable.
 * @throws Error when two contracts share a door or a binding cannot work.
 */
export function createHttpService(
  runtime: Runtime,
  contracts: readonly ActionContract[],
  auth: TokenVerifier,
  options: HttpOptions = {},
): ServiceSchema {
  const { broker, settings } = runtime;
  const gateway = new Gateway(runtime, contracts, auth, options);
  const ops = gateway.createOpsServer();
  registerApiDocs(hotDocumentsOf(broker), contracts);
  const schema = {
    name: "http",
    version: 1,
    mixins: [ApiGateway],
    settings: {
      $noVersionPrefix: true,
      // Its own server would end the process when the port is taken, with the database still running.
      server: false,
      routes: [contractRoute(gateway)],
      // A line for each request would cost more than the request.
      logRequest: null,
      logRequestParams: null,
      logResponse: null,
      logRouteRegistration: null,
      // Without an id moleculer-web writes no header of its own; the context gets ours at admission.
      rootCallOptions: { requestID: "" },
      ...pageAssets(options.pages, gateway.replier),
    },
    // Doors are made of contracts, at start: moleculer-web's remote controls stay out of the registry.
    actions: { listAliases: false, addRoute: false, removeRoute: false },
    methods: webOverrides(gateway),
    created(this: WebService) {
      gateway.route(this.aliases);
      this.server = gateway.createServer((req, res) => this.httpHandler(req, res));
      setHttpServer(broker, this.server);
      this.opsListening = ops && listening(ops, settings.OPS_PORT ?? 0, settings.OPS_HOST);
      // Met where the start waits for it.
      this.opsListening?.catch(() => undefined);
    },
    async started(this: WebService) {
      if (ops !== undefined) {
        await this.opsListening;
        setOpsServer(broker, ops);
      }
      await listening(this.server, settings.PORT, settings.HOST);
    },
    async stopped(this: WebService) {
      await gateway.stop(this.server);
      ops?.close();
      ops?.closeAllConnections();
    },
  };
  return schema as unknown as ServiceSchema;
}

/** moleculer-web's route of all doors. */
function contractRoute(gateway: Gateway): object {
  return {
    path: "/",
    aliases: Object.fromEntries([...gateway.doors].map(([title, door]) => [title, door.contract.name])),
    mappingPolicy: "restrict",
    mergeParams: false,
    bodyParsers: false,
    logging: false,
    pathToRegexpOptions: { sensitive: true },
    onBeforeCall: (ctx: Context, _route: unknown, req: RoutedRequest, _res: Response, alias: Routable) =>
      gateway.admit(ctx, req, alias),
  };
}

/** The methods of moleculer-web that are replaced, under its names. */
function webOverrides(gateway: Gateway): Record<string, unknown> {
  return {
    // The query string belongs to the door: moleculer-web's parser would make objects of `a[b]=1`.
    parseQueryString: (req: Request): { url: string; query: object } => ({
      url: pathOf(req.url ?? "/"),
      query: {},
    }),
    resolveAlias: (path: string, method: string): Found<Routable> | undefined => gateway.find(path, method),
    sendResponse: (req: RoutedRequest, res: Response, result: unknown): void => {
      gateway.succeed(req, res, result);
    },
    send404: (req: Request, res: Response): void => {
      gateway.miss(req, res);
    },
    errorHandler: gateway.fail,
  };
}
