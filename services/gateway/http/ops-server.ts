import type { Server } from "node:http";
import type { ServiceBroker } from "moleculer";
import { SYSTEM } from "../../../mixins/contract/caller";
import { act } from "../../../mixins/contract/implement";
import type { Door } from "./door";
import { pathOf } from "./door-params";
import { exchangeOf, type Request, type Response } from "./exchange";
import { HttpRefusal } from "./problem";
import type { ReplyMeta, Replier } from "./reply";
import { createHttpServer, type ArrivalLimits } from "./server";

interface OpsParts {
  readonly broker: ServiceBroker;
  readonly doors: Iterable<Door>;
  readonly replier: Replier;
  readonly fail: (req: Request, res: Response, error: unknown) => void;
  readonly arrival: ArrivalLimits;
}

/**
 * A server for monitors, which have no account: health and metrics of this node, answered to whoever reaches its port. It is
 * the operator's to keep that to those who may. Not yet listening.
 */
export function createOpsServer({ broker, doors, replier, fail, arrival }: OpsParts): Server {
  const byPath = new Map(
    [...doors]
      .filter(({ contract }) => contract.name.startsWith("ops.") && contract.kind === "query")
      .map((door) => [door.binding.path, door]),
  );
  const answer = async (req: Request, res: Response): Promise<void> => {
    const { method = "", url = "" } = req;
    const door = byPath.get(pathOf(url));
    if (door === undefined) throw new HttpRefusal(404, "http.not_found", "There is nothing at this address.");
    if (method !== "GET" && method !== "HEAD")
      throw new HttpRefusal(405, "http.method_not_allowed", `${method} is not possible here.`, {
        Allow: "HEAD, GET",
      });
    exchangeOf(req).door = door;
    const meta: ReplyMeta = { caller: SYSTEM, request_id: exchangeOf(req).request_id };
    const result = await act(broker, door.contract, {}, { meta });
    if (!res.destroyed) replier.result(req, res, door, meta, result);
  };
  return createHttpServer((req, res) => {
    answer(req, res).catch((error: unknown) => {
      fail(req, res, error);
    });
  }, arrival);
}
