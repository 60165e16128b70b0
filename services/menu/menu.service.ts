import type { Context, ServiceBroker, ServiceSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import type { RawDocument, ResultOf } from "../../mixins/contract/contract";
import { faultOf } from "../../mixins/contract/fault";
import { act, implement, implementCommand } from "../../mixins/contract/implement";
import { orThrow } from "../../mixins/contract/refusal";
import { untilCaughtUp } from "../../mixins/health/catching-up";
import type { ProjectionHost } from "../../mixins/projection/projection";
import { startProjection } from "../../mixins/projection/start-projection";
import { hotDocumentsOf } from "../../mixins/rest/hot-documents";
import type { Runtime } from "../../mixins/runtime";
import { fleetNodesOf } from "../../mixins/transport/fleet-nodes";
import { usedOf } from "./menu.board";
import { changeMenu } from "./menu.change";
import {
  getMenu,
  menuDocuments,
  menuStatus,
  nodeMenu,
  quoteCart,
  quoteMenu,
  reloadMenu,
  type MenuDocumentPart,
  type Quote,
  type QuoteWish,
} from "./menu.contract";
import { deskActions } from "./menu.desk";
import { MenuFollower } from "./menu.follower";
import { offerActions } from "./menu.offer-desk";
import { offerUsesProjection } from "./menu.offer-uses";
import { quote } from "./menu.pricing";
import { reloadRows } from "./menu.publisher";
import { startSaleClock, type SaleClock } from "./menu.sale-clock";

/** A broker event, without content: the menu has changed, read it again. */
const CHANGED = "menu.changed";
/** A status page does not wait longer for a node; one that lives answers within milliseconds. */
const NODE_ANSWERS_MS = 700;

const PARTS = Object.keys(menuDocuments) as MenuDocumentPart[];

/** The menu: what there is, what it costs, and the desk where both are changed. */
export function createMenuService(runtime: Runtime): ServiceSchema {
  const { broker, clock, pool, feed, log } = runtime;
  const logger = broker.getLogger("menu");
  const follower = new MenuFollower(runtime, logger, () => background?.clock.wake());
  const withdrawals: (() => void)[] = [];
  let background: { readonly uses: ProjectionHost; readonly clock: SaleClock } | undefined;

  /**
   * This node's board at once, and a hint to the others. Neither is what a change relies on: all hear of it from the log.
   */
  const show = async (): Promise<void> => {
    broker.broadcast(CHANGED).catch((error: unknown) => {
      logger.debug(`No hint to the other nodes: ${String(error)}`);
    });
    await follower.refresh().catch((error: unknown) => {
      logger.warn(`The changed menu was not read at once: ${String(error)}`);
    });
  };
  const price = (wish: QuoteWish): Quote => orThrow(quote(follower.board, wish, clock.now()));

  return {
    name: "menu",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: {
      quote: implement(quoteMenu, async ({ params }) => {
        await follower.reached(params.after);
        return price(params);
      }),
      quote_cart: implement(quoteCart, ({ params }) => {
        const { menu_version, currency, items, items_total_minor, discount_minor, promo_code } =
          price(params);
        return { menu_version, currency, items, items_total_minor, discount_minor, promo_code };
      }),
      get: implement(getMenu, async ({ params }) => {
        await follower.reached(params.after);
        return follower.board.document;
      }),
      document: implement(menuDocuments.menu, (ctx) => readyDocument(runtime, follower, "menu", ctx)),
      pizzas: implement(menuDocuments.pizzas, (ctx) => readyDocument(runtime, follower, "pizzas", ctx)),
      extras: implement(menuDocuments.extras, (ctx) => readyDocument(runtime, follower, "extras", ctx)),
      sets: implement(menuDocuments.sets, (ctx) => readyDocument(runtime, follower, "sets", ctx)),
      status: implement(menuStatus, async ({ params }) => {
        await follower.reached(params.after);
        return statusOf(follower, await menuOfEachNode(broker));
      }),
      node: implement(nodeMenu, () => menuOf(follower)),
      reload: reloadAction(runtime, follower, show),
      ...deskActions(runtime, follower, show),
      ...offerActions(runtime, follower, show),
    },
    events: {
      [CHANGED]: async ({ nodeID }: Context) => {
        if (nodeID !== broker.nodeID) await follower.hinted();
      },
    },
    async started() {
      const uses = await startProjection({ pool, feed, log, logger }, offerUsesProjection);
      await follower.start((position) => untilCaughtUp(runtime, uses.name, uses, position));
      background = { uses, clock: startSaleClock(runtime, logger, (id) => usedOf(follower.board, id)) };
      for (const part of PARTS) {
        const path = menuDocuments[part].rest?.[0]?.path;
        if (path !== undefined)
          withdrawals.push(hotDocumentsOf(broker).register(path, () => follower.ready[part]));
      }
    },
    async stopped() {
      for (const withdraw of withdrawals.splice(0)) withdraw();
      await background?.clock.stop();
      await follower.stop();
      await background?.uses.stop();
    },
  };
}

function reloadAction(
  runtime: Runtime,
  follower: MenuFollower,
  show: () => Promise<void>,
): ReturnType<typeof implementCommand> {
  return implementCommand(runtime.log, reloadMenu, {
    async run(ctx) {
      const outcome = await changeMenu(runtime, ctx, reloadRows, async () => {
        await show();
        const { version, updated_at } = follower.board.document;
        return { version, published_at: updated_at, unchanged: true };
      });
      await show();
      return outcome;
    },
    respond(answer, position) {
      const { version, published_at, unchanged } = answer as ReloadAnswer;
      const message = unchanged === true ? "The menu is up to date." : "The menu was updated on every node.";
      return { message, last_update: published_at, version, method: "event_log", position };
    },
  });
}

interface ReloadAnswer {
  readonly version: number;
  readonly published_at: string;
  readonly unchanged?: true;
}

async function readyDocument(
  { broker }: Runtime,
  follower: MenuFollower,
  part: MenuDocumentPart,
  { params, nodeID }: Ctx<{ after?: number }>,
): Promise<RawDocument> {
  await follower.reached(params.after);
  const ready = follower.ready[part];
  return nodeID === null || nodeID === broker.nodeID ? ready : { ...ready, body: ready.body.toString() };
}

function menuOf({ board, position }: MenuFollower): ResultOf<typeof nodeMenu> {
  const { version, updated_at } = board.document;
  return { version, last_update: updated_at, position };
}

function statusOf({ board }: MenuFollower, nodes: Status["nodes"]): Status {
  const { version, updated_at, pizzas, sets, extras } = board.document;
  return {
    last_update: updated_at,
    version,
    pizzas_count: pizzas.length,
    sets_count: sets.length,
    extras_count: extras.length,
    nodes,
  };
}

type Status = ResultOf<typeof menuStatus>;

/** What every live node that runs the menu shows just now. */
async function menuOfEachNode(broker: ServiceBroker): Promise<Status["nodes"]> {
  const nodes = [...fleetNodesOf(broker).hosts(nodeMenu.name)].sort();
  return Promise.all(
    nodes.map(async (node_id) => {
      try {
        const options = { nodeID: node_id, timeout: NODE_ANSWERS_MS };
        return { node_id, status: "up" as const, ...(await act(broker, nodeMenu, {}, options)) };
      } catch (error) {
        if (faultOf(error) === undefined) throw error;
        return { node_id, status: "silent" as const };
      }
    }),
  );
}
