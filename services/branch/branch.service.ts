import type { ActionSchema, ServiceSchema } from "moleculer";
import { createActorHost } from "../../mixins/actor/create-actor-host";
import type { ActorHost } from "../../mixins/actor/actor-host";
import { actorMixin } from "../../mixins/actor/actor-mixin";
import { cachedAction, endNow } from "../../mixins/cache-tags/cached-action";
import type { Caller, Ctx } from "../../mixins/contract/caller";
import type { ParamsOf, ResultOf } from "../../mixins/contract/contract";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import {
  callerOf,
  commandOf,
  implement,
  implementCommand,
  type CommandOutcome,
} from "../../mixins/contract/implement";
import { isRefusal, orThrow, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { Position } from "../../mixins/event-log/event-log";
import type { ProjectionHost } from "../../mixins/projection/projection";
import { startProjection } from "../../mixins/projection/start-projection";
import type { Runtime } from "../../mixins/runtime";
import { withPhone } from "../../mixins/text/phone";
import { BranchDirectory, type KnownBranch } from "./branch-directory";
import {
  changeBranch,
  configureSlots,
  getBranch,
  getSlotConfig,
  listBranches,
  openBranch,
} from "./branch.contract";
import {
  branchDecider,
  codeTaken,
  type BranchAnswer,
  type BranchCommand,
  type BranchState,
} from "./branch.decider";
import { branchStream, type Branch } from "./branch.events";
import { branchProjection } from "./branch.projection";
import { withWish } from "./branch.rules";
import { LegalEntities } from "./legal-entities";
import { createLegalEntity, getLegalEntity, listLegalEntities } from "./legal-entity.contract";
import { defaultSlotRules } from "./new-branch";
import { openState } from "./opening-hours";

/** Where a branch sells, when its opening says nothing else. */
const CURRENCY = "RUB";
const PHONE_INVALID = "branch.phone_invalid";
const LEGAL_ENTITIES_TAG = "legal-entities";

/** Branches, their hours and slot rules, and the legal entities behind them. Ready only once its directory is. */
export function createBranchService(runtime: Runtime): ServiceSchema {
  const { log, broker } = runtime;
  const room = new BranchRoom(runtime);
  let projection: ProjectionHost | undefined;
  return {
    name: "branch",
    version: 1,
    settings: { $noVersionPrefix: true },
    mixins: [actorMixin(room.host)],
    async started() {
      await room.open();
      projection = await startProjection(
        { ...runtime, logger: broker.getLogger("projection:branches") },
        branchProjection,
      );
    },
    async stopped() {
      await projection?.stop();
      await room.close();
    },
    actions: {
      ...legalEntityActions(runtime),
      get: implement(getBranch, (ctx) => room.get(ctx.params)),
      list: implement(listBranches, () => ({ items: room.list() })),
      open: implementCommand(log, openBranch, { run: (ctx) => room.openBranch(ctx), respond: saved }),
      change: implementCommand(log, changeBranch, {
        async run(ctx) {
          const { branch_id, ...details } = ctx.params;
          const wish = withPhone(details, runtime.settings.PHONE_COUNTRY, PHONE_INVALID);
          if (isRefusal(wish)) return wish;
          await room.checkLegalEntity(wish.legal_entity_id);
          return room.tell(ctx, branch_id, { type: "change", wish });
        },
        respond: saved,
      }),
      slot_config: implement(getSlotConfig, (ctx) => {
        const { branch, position } = orThrow(room.meant(callerOf(ctx), ctx.params.branch_id));
        return slotConfig(branch, position);
      }),
      configure_slots: implementCommand(log, configureSlots, {
        async run(ctx) {
          const { branch_id, ...wish } = ctx.params;
          const meant = room.meant(callerOf(ctx), branch_id);
          return isRefusal(meant)
            ? meant
            : room.tell(ctx, meant.branch.branch_id, { type: "configure_slots", wish });
        },
        respond: (answer, position) => slotConfig((answer as BranchAnswer).branch, position),
      }),
    },
  };
}

function legalEntityActions(runtime: Runtime): Record<string, ActionSchema> {
  const entities = new LegalEntities(runtime);
  return {
    legal_entity_get: implement(getLegalEntity, async (ctx) =>
      orThrow(await entities.get(ctx.params.legal_entity_id)),
    ),
    legal_entity_list: cachedAction(
      runtime,
      listLegalEntities,
      {
        key: () => "all",
        ttl_s: 3_600,
        tags: () => [LEGAL_ENTITIES_TAG],
        invalidate_on: { "legal_entity.created": () => [LEGAL_ENTITIES_TAG] },
      },
      async () => ({ items: await entities.all() }),
    ),
    legal_entity_create: implementCommand(runtime.log, createLegalEntity, {
      async run(ctx) {
        const outcome = await entities.create(ctx.params, commandOf(ctx), eventMetaOf(ctx, "branch"));
        await endNow(runtime, LEGAL_ENTITIES_TAG);
        return outcome;
      },
      respond: (answer) => answer as ResultOf<typeof createLegalEntity>,
    }),
  };
}

/** What the actions share: the actors that decide and the directory that remembers. */
class BranchRoom {
  readonly host: ActorHost<BranchState, BranchCommand>;
  #directory: BranchDirectory | undefined;

  constructor(private readonly runtime: Runtime) {
    const { log, clock, broker } = runtime;
    this.host = createActorHost(
      { log, clock, logger: broker.getLogger("actor:branch") },
      {
        kind: "branch",
        decider: branchDecider,
        given: async () => ({ given: await this.directory.chain() }),
      },
    );
  }

  get directory(): BranchDirectory {
    if (this.#directory === undefined) throw new Error("The branch service was asked before it had started.");
    return this.#directory;
  }

  async open(): Promise<void> {
    this.#directory = await BranchDirectory.open(this.runtime);
  }

  async close(): Promise<void> {
    await this.#directory?.close();
  }

  async get({ branch_id, fresh }: { branch_id?: string; fresh?: boolean }): Promise<Branch> {
    const known = fresh === true ? await this.directory.fresh(branch_id) : this.directory.get(branch_id);
    return orThrow(known).branch;
  }

  list(): ResultOf<typeof listBranches>["items"] {
    const now_ms = this.runtime.clock.now();
    return this.directory.all().map(({ branch }) => publicBranch(branch, now_ms));
  }

  /**
   * The branch that a caller means: the one named, else the first of their own, else the default one.
   * Refusals: `branch.unknown`, `branch.not_yours`.
   */
  meant({ branch_ids }: Caller, named: string | undefined): KnownBranch | Refusal {
    const known = this.directory.get(named ?? branch_ids?.[0]);
    if (isRefusal(known) || branch_ids === null || branch_ids.includes(known.branch.branch_id)) return known;
    return refuse("forbidden", "branch.not_yours", "You do not work at this branch.");
  }

  async openBranch(ctx: Ctx<OpenParams>): Promise<CommandOutcome | Refusal> {
    const { branch_id = this.runtime.ids.uuid(), slots = {}, ...given } = ctx.params;
    const wish = withPhone(given, this.runtime.settings.PHONE_COUNTRY, PHONE_INVALID);
    if (isRefusal(wish)) return wish;
    await this.checkLegalEntity(wish.legal_entity_id);
    const defaults = defaultSlotRules(this.runtime.settings, wish.time_zone, this.runtime.clock.now());
    const details = {
      ...wish,
      phone: wish.phone ?? null,
      currency: wish.currency ?? CURRENCY,
      delivery_fee_minor: wish.delivery_fee_minor ?? 0,
      free_delivery_from_minor: wish.free_delivery_from_minor ?? null,
      is_default: wish.is_default ?? false,
      legal_entity_id: wish.legal_entity_id ?? null,
    };
    const outcome = await this.tell(ctx, branch_id, {
      type: "open",
      branch_id,
      details,
      slot_rules: withWish(defaults, slots),
    });
    // Another node founded the code's stream between our look and our append.
    return isRefusal(outcome) && outcome.code === "stream.exists" ? codeTaken(wish.code) : outcome;
  }

  /** Decides, and answers only once this node's directory knows the outcome: its next order follows the new rules. */
  async tell(
    ctx: Ctx<unknown>,
    branch_id: string,
    command: BranchCommand,
  ): Promise<CommandOutcome | Refusal> {
    const outcome = await this.host.tell(
      branchStream(branch_id),
      command,
      commandOf(ctx),
      eventMetaOf(ctx, "branch"),
    );
    if (!isRefusal(outcome)) await this.directory.reached(outcome.position);
    return outcome;
  }

  /** @throws RefusedError `legal_entity.unknown` */
  async checkLegalEntity(legal_entity_id: string | null | undefined): Promise<void> {
    if (typeof legal_entity_id === "string")
      orThrow(await new LegalEntities(this.runtime).get(legal_entity_id));
  }
}

type OpenParams = ParamsOf<typeof openBranch>;

function saved(answer: unknown, position: Position): ResultOf<typeof openBranch> {
  return { branch: (answer as BranchAnswer).branch as ResultOf<typeof openBranch>["branch"], position };
}

function slotConfig({ branch_id, slot_rules }: Branch, position: Position): ResultOf<typeof getSlotConfig> {
  return { branch_id, position, ...slot_rules } as ResultOf<typeof getSlotConfig>;
}

function publicBranch(branch: Branch, now_ms: number): ResultOf<typeof listBranches>["items"][number] {
  const { branch_id, name, address, phone, time_zone, currency, is_default, slot_rules } = branch;
  const { delivery_fee_minor, free_delivery_from_minor } = branch;
  const { hours, holidays } = slot_rules;
  const shown = {
    branch_id,
    name,
    address,
    phone,
    time_zone,
    currency,
    delivery_fee_minor,
    free_delivery_from_minor,
    is_default,
  };
  return { ...shown, hours, holidays: [...holidays], ...openState(slot_rules, time_zone, now_ms) };
}
