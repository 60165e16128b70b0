import type { ServiceSchema } from "moleculer";
import { actorMixin } from "../../mixins/actor/actor-mixin";
import { createActorHost } from "../../mixins/actor/create-actor-host";
import { PlacedActors } from "../../mixins/actor/placed-actors";
import type { Ctx } from "../../mixins/contract/caller";
import { implement, implementCommand, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, UnavailableError, type Refusal } from "../../mixins/contract/refusal";
import type { FeedHandle } from "../../mixins/event-feed/event-feed";
import type { Position } from "../../mixins/event-log/event-log";
import { metricsOf } from "../../mixins/metrics/metrics";
import type { ProcessHost } from "../../mixins/process/process";
import { startJob, type JobHandle } from "../../mixins/process/start-job";
import { startProcess } from "../../mixins/process/start-process";
import { untilCaughtUp } from "../../mixins/health/catching-up";
import type { ProjectionHost } from "../../mixins/projection/projection";
import { startProjection } from "../../mixins/projection/start-projection";
import type { Runtime } from "../../mixins/runtime";
import { OrderAdmission } from "./order.admission";
import { runArchive } from "./order.archive";
import { keepBook } from "./order.book-feed";
import { orderCommands } from "./order.commands";
import { orderPlacedBy, placeOrder, placeOrderAtDesk } from "./order.contract";
import { orderDecider, type OrderCommand, type OrderState } from "./order.decider";
import type { OrderWish } from "./order.draft";
import { ORDER_STREAMS, type OrderEvent } from "./order.events";
import { orderLimitsOf } from "./order.limits";
import { LocalNotes, RedisNotes } from "./order.noted";
import { OpenBook } from "./order.open-book";
import { place, placedAnswer, type Door, type PlacementDeps } from "./order.placement";
import { releaseOnCancel } from "./order.process";
import { ensurePartitions, monthsAhead, orderProjection } from "./order.projection";
import { orderQueries } from "./order.queries";
import { OrderReads } from "./order.reads";

/** Partitions are made two months ahead and orders archived after a year: a few runs a day are plenty. */
const ARCHIVE_EVERY_MS = 6 * 3_600_000;

/** What runs beside the actions, from start to stop. */
interface Background {
  readonly projection: ProjectionHost;
  readonly release: ProcessHost;
  readonly archive: JobHandle;
  readonly book: FeedHandle | undefined;
}

/** Orders: places them with the menu's prices in the kitchen's slots, leads them through their states, and shows them. */
export function createOrderService(runtime: Runtime): ServiceSchema {
  const { log, clock, db, pool, feed, broker, settings } = runtime;
  const logger = broker.getLogger("order");
  // An order's stream is a dozen events at most: read anew faster than a snapshot would be.
  const orders = createActorHost<OrderState, OrderCommand, OrderEvent, undefined>(
    { log, clock, logger },
    { kind: "order", decider: orderDecider, given: () => Promise.resolve({ given: undefined }) },
  );
  const placed = new PlacedActors<OrderCommand>(runtime, orders, {
    action: "order.tell_order",
    streams: ORDER_STREAMS,
    room: "order",
  });
  let background: Background | undefined;

  const reached = async (position: Position): Promise<void> => {
    if (background === undefined)
      throw new UnavailableError("order.starting", "Orders are not ready yet; try again.");
    await background.projection.reached(position);
  };
  const reads = new OrderReads(db);
  const deps = { reads, log, clock, country: settings.PHONE_COUNTRY, reached, placed };
  const limits = settings.RATE_LIMIT === "off" ? undefined : limitsOn(runtime, reads);
  const hasOrdered = async (user_id: string): Promise<boolean> => {
    // An order that was acknowledged to anybody by now counts.
    await reached(await log.head());
    return reads.hasOrdered(user_id);
  };

  return {
    name: "order",
    version: 1,
    settings: { $noVersionPrefix: true },
    mixins: [actorMixin(orders)],
    actions: {
      ...placements({ runtime, logger, hasOrdered, admission: limits?.admission }),
      ...orderQueries(deps),
      ...orderCommands(deps),
    },

    /** Ready means: the read model knows everything that the log held when this node came up. */
    async started() {
      await ensurePartitions(pool, monthsAhead(clock.now()));
      const projection = await startProjection({ pool, feed, log, logger }, orderProjection);
      const release = await startProcess({ pool, feed, log, logger, broker }, releaseOnCancel);
      const archive = startJob(
        { pool, logger },
        {
          name: "order-archive",
          every_ms: ARCHIVE_EVERY_MS,
          async run(stopping) {
            await runArchive({ pool, clock, logger, orders, reached, stopping });
          },
        },
      );
      background = { projection, release, archive, book: undefined };
      await untilCaughtUp(runtime, projection.name, projection);
      if (limits === undefined) return;
      const filled = (position: Position) => untilCaughtUp(runtime, projection.name, projection, position);
      background = { ...background, book: await keepBook({ pool, log, feed }, limits.book, filled) };
    },
    async stopped() {
      await background?.book?.stop();
      await background?.archive.stop();
      await background?.release.stop();
      await background?.projection.stop();
    },
  };
}

/** The limits on what people order themselves, over all nodes where they share a Redis. */
function limitsOn(
  { broker, clock, redis, settings }: Runtime,
  reads: OrderReads,
): { readonly book: OpenBook; readonly admission: OrderAdmission } {
  const book = new OpenBook(() => clock.now());
  const local = new LocalNotes(clock);
  const prefix = `forno:orders:${settings.NAMESPACE}:`;
  const refused = metricsOf(broker).counter(
    "forno_orders_limited_total",
    "Orders refused by a limit on what people may order themselves, by refusal and by what it counts.",
    ["code", "by"],
  );
  const admission = new OrderAdmission({
    ...{ limits: orderLimitsOf(settings), book },
    notes: redis === undefined ? local : new RedisNotes(redis, prefix, local),
    hasReceived: (user_id) => reads.hasReceived(user_id),
    onRefused: (code, by) => refused.inc({ code, by }),
  });
  return { book, admission };
}

/** The two doors through which orders come in. */
function placements(deps: PlacementDeps & { readonly runtime: Runtime }): ServiceSchema["actions"] {
  const { runtime } = deps;
  const placed = metricsOf(runtime.broker).counter("forno_orders_placed_total", "Orders placed, by channel", [
    "channel",
  ]);
  const counted = async (ctx: Ctx<OrderWish>, door: Door): Promise<CommandOutcome | Refusal> => {
    const outcome = await place(deps, ctx, door);
    if (!isRefusal(outcome) && !outcome.replayed) placed.inc({ channel: door.channel });
    return outcome;
  };
  return {
    place: implementCommand(runtime.log, placeOrder, {
      run: (ctx) => counted(ctx, { channel: ctx.params.channel, for_others: false }),
      respond: placedAnswer,
    }),
    place_at_desk: implementCommand(runtime.log, placeOrderAtDesk, {
      run: (ctx) => counted(ctx, { channel: ctx.params.channel ?? "erp", for_others: true }),
      respond: placedAnswer,
    }),
    placed_by: implement(orderPlacedBy, async ({ params: { command_id } }) => {
      const [stored] = await runtime.log.findAnswers([command_id]);
      const none = stored === undefined || isRefusal(stored.answer);
      return { order: none ? null : placedAnswer(stored.answer, stored.position) };
    }),
  };
}
