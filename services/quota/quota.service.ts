import type { ServiceSchema } from "moleculer";
import { actorMixin } from "../../mixins/actor/actor-mixin";
import { SYSTEM, type Ctx } from "../../mixins/contract/caller";
import type { ParamsOf } from "../../mixins/contract/contract";
import { act, implement } from "../../mixins/contract/implement";
import { orThrow } from "../../mixins/contract/refusal";
import { metricsOf } from "../../mixins/metrics/metrics";
import type { ProcessHost } from "../../mixins/process/process";
import { startJob, type JobHandle } from "../../mixins/process/start-job";
import { startProcess } from "../../mixins/process/start-process";
import type { ProjectionHost } from "../../mixins/projection/projection";
import { startProjection } from "../../mixins/projection/start-projection";
import type { Runtime } from "../../mixins/runtime";
import { createQuotas } from "./quota.actors";
import { confirmHold, holdCommand, returnHold, takeQuota } from "./quota.contract";
import type { QuotaCommand } from "./quota.decider";
import { quotaStream } from "./quota.events";
import { returnOnCancel } from "./quota.process";
import { holdProjection } from "./quota.projection";
import { sweepHolds } from "./quota.sweep";

const SWEEP_EVERY_MS = 30_000;
const SWEEP = "quota-sweep";

/** What runs beside the actions, from start to stop. */
interface Background {
  readonly projection: ProjectionHost;
  readonly returns: ProcessHost;
  readonly sweep: JobHandle;
}

/** Limited offers: how often each is used, so that none is used more often than it may be. */
export function createQuotaService(runtime: Runtime): ServiceSchema {
  const { log, clock, pool, feed, broker } = runtime;
  const logger = broker.getLogger("quota");
  const { host, placed } = createQuotas(runtime);
  const swept = metricsOf(broker).counter(
    "forno_quota_swept_total",
    "Holds of limited offers whose order was not known after a minute, by what became of them.",
    ["outcome"],
  );
  const now = (): string => new Date(clock.now()).toISOString();
  const tell = async (ctx: Ctx<unknown>, quota_id: string, command: QuotaCommand) => {
    const { position } = orThrow(await placed.tell(ctx, quotaStream(quota_id.toLowerCase()), command));
    return { position };
  };
  /** Through the broker: where the quota's actor lives is no matter of the sweep. */
  const send = <C extends typeof confirmHold | typeof returnHold>(contract: C, params: ParamsOf<C>) =>
    act(broker, contract, params, {
      meta: { caller: SYSTEM, command: holdCommand(contract, params.hold_id) },
    });
  let background: Background | undefined;

  return {
    name: "quota",
    version: 1,
    settings: { $noVersionPrefix: true },
    mixins: [actorMixin(host)],
    actions: {
      tell_quota: placed.action(),
      // No settling of refusals: what a late attempt takes after all, no order has, and the sweep gives it back.
      take: implement(takeQuota, (ctx) => {
        const { quota_id, ...wanted } = ctx.params;
        return tell(ctx, quota_id, { type: "quota.take", ...wanted, at: now() });
      }),
      confirm: implement(confirmHold, (ctx) => {
        const { quota_id, ...hold } = ctx.params;
        return tell(ctx, quota_id, { type: "quota.confirm", ...hold });
      }),
      return: implement(returnHold, (ctx) => {
        const { quota_id, ...hold } = ctx.params;
        return tell(ctx, quota_id, { type: "quota.return", ...hold, at: now() });
      }),
    },

    async started() {
      const projection = await startProjection({ pool, feed, log, logger }, holdProjection);
      const returns = await startProcess({ pool, feed, log, logger, broker }, returnOnCancel);
      const sweep = startJob(
        { pool, logger },
        {
          name: SWEEP,
          every_ms: SWEEP_EVERY_MS,
          async run(stopping) {
            const { confirmed, returned } = await sweepHolds({
              ...{ pool, log, clock, logger, stopping },
              confirm: (quota_id, hold_id, order_id) => send(confirmHold, { quota_id, hold_id, order_id }),
              giveBack: (quota_id, hold_id) => send(returnHold, { quota_id, hold_id, reason: "not_placed" }),
            });
            swept.inc({ outcome: "confirmed" }, confirmed);
            swept.inc({ outcome: "returned" }, returned);
          },
        },
      );
      background = { projection, returns, sweep };
    },
    async stopped() {
      await background?.sweep.stop();
      await background?.returns.stop();
      await background?.projection.stop();
    },
  };
}
