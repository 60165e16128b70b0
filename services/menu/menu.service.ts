import type { ServiceSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import type { RawDocument } from "../../mixins/contract/contract";
import { implement, implementCommand } from "../../mixins/contract/implement";
import { orThrow } from "../../mixins/contract/refusal";
import { hotDocumentsOf } from "../../mixins/rest/hot-documents";
import type { Runtime } from "../../mixins/runtime";
import { changeMenu } from "./menu.change";
import {
  getMenu,
  menuDocuments,
  menuStatus,
  quoteCart,
  quoteMenu,
  reloadMenu,
  type MenuDocumentPart,
  type MenuWish,
  type Quote,
} from "./menu.contract";
import { deskActions } from "./menu.desk";
import { MenuFollower } from "./menu.follower";
import { offerActions } from "./menu.offer-desk";
import { quote } from "./menu.pricing";
import { reloadRows } from "./menu.publisher";

const PARTS = Object.keys(menuDocuments) as MenuDocumentPart[];

/** The menu: what there is, what it costs, and the desk where both are changed. */
export function createMenuService(runtime: Runtime): ServiceSchema {
  const { broker, clock } = runtime;
  const logger = broker.getLogger("menu");
  const follower = new MenuFollower(runtime, logger);
  const withdrawals: (() => void)[] = [];

  /** This node's board at once; the other nodes hear of it from the log, and so does this one if the read fails. */
  const show = async (): Promise<void> => {
    await follower.refresh().catch((error: unknown) => {
      logger.warn(`The changed menu was not read at once: ${String(error)}`);
    });
  };
  const price = ({ params }: Ctx<MenuWish>): Quote => orThrow(quote(follower.board, params, clock.now()));

  return {
    name: "menu",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: {
      quote: implement(quoteMenu, price),
      quote_cart: implement(quoteCart, price),
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
        return statusOf(broker.nodeID, follower);
      }),
      reload: implementCommand(runtime.log, reloadMenu, {
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
          const message =
            unchanged === true ? "The menu is up to date." : "The menu was updated on every node.";
          return { message, last_update: published_at, version, method: "event_log", position };
        },
      }),
      ...deskActions(runtime, follower, show),
      ...offerActions(runtime, show),
    },
    async started() {
      await follower.start();
      for (const part of PARTS) {
        const path = menuDocuments[part].rest?.[0]?.path;
        if (path !== undefined)
          withdrawals.push(hotDocumentsOf(broker).register(path, () => follower.board.ready[part]));
      }
    },
    async stopped() {
      for (const withdraw of withdrawals.splice(0)) withdraw();
      await follower.stop();
    },
  };
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
  const ready = follower.board.ready[part];
  return nodeID === null || nodeID === broker.nodeID ? ready : { ...ready, body: ready.body.toString() };
}

function statusOf(node_id: string, { board, position }: MenuFollower) {
  const { version, updated_at, pizzas, sets, extras } = board.document;
  return {
    last_update: updated_at,
    version,
    pizzas_count: pizzas.length,
    sets_count: sets.length,
    extras_count: extras.length,
    nodes: [{ node_id, version, last_update: updated_at, position }],
  };
}
