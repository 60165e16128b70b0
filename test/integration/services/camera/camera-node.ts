import { randomBytes, randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import { uuidv7 } from "uuidv7";
import { followEvents } from "../../../../mixins/cache-tags/follow-events";
import { cacheRulesOf } from "../../../../mixins/cache-tags/cache-rules";
import { openCache } from "../../../../mixins/cache-tags/open-cache";
import { SYSTEM, type CallMeta } from "../../../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import { act } from "../../../../mixins/contract/implement";
import { refusalOf } from "../../../../mixins/contract/refusal";
import { LogFeed } from "../../../../mixins/event-feed/log-feed";
import { createEventLog, type PostgresEventLog } from "../../../../mixins/event-log/postgres-event-log";
import { channelsOf } from "../../../../mixins/messaging/channels";
import { metricsOf } from "../../../../mixins/metrics/metrics";
import { guardOf } from "../../../../mixins/redis/redis-guard";
import { RedisLink } from "../../../../mixins/redis/redis-link";
import type { Runtime } from "../../../../mixins/runtime";
import { openBranch } from "../../../../services/branch/branch.contract";
import { createBranchService } from "../../../../services/branch/branch.service";
import { createCameraCacheService } from "../../../../services/camera-cache/camera-cache.service";
import { createCamera } from "../../../../services/camera/camera.contract";
import { CAMERA_EVENTS_CHANNEL, type CameraEvent } from "../../../../services/camera/camera.events";
import { createCameraService } from "../../../../services/camera/camera.service";
import { loadSettings } from "../../../../settings";
import { eventually } from "../../../support/eventually";
import { BRANCH, OTHER_BRANCH } from "../../../support/orders";
import type { TestDatabase } from "../../../support/postgres";
import { PATIENT } from "../../../support/cache-node";
import { QuietLogger } from "../../../support/quiet-logger";

type Camera = ResultOf<typeof createCamera>;

let cameras_made = 0;
/** A MAC address that no test has used before. */
export const anyMac = (): string =>
  `02:${randomBytes(5).toString("hex").toUpperCase().match(/../g)?.join(":") ?? ""}`;

/** One node that runs branches, cameras and the camera cache, on a shared database and perhaps Redis. */
export class CameraNode {
  now = Date.parse("2026-03-10T09:00:00.000Z");
  /** Statements that asked the registry for addresses, with how many each. */
  readonly questions: number[] = [];

  private constructor(
    readonly runtime: Runtime & { readonly log: PostgresEventLog },
    private readonly close: () => Promise<void>,
  ) {}

  /** @param options the servers it is told of; `broker` where it is one of a fleet. */
  static async start(
    database: TestDatabase,
    options: { redis_url?: string; namespace?: string; broker?: ServiceBroker } = {},
  ): Promise<CameraNode> {
    const logger = new QuietLogger();
    const log = await createEventLog({ connection: database.connection, logger });
    const broker =
      options.broker ??
      new ServiceBroker({
        ...{ nodeID: `node-${randomUUID()}`, logger: false, validator: false },
        ...{ skipProcessEventRegistration: true, dependencyInterval: 5 },
      });
    const redis =
      options.redis_url === undefined
        ? undefined
        : new RedisLink(options.redis_url, logger, PATIENT.patience);
    const feed = new LogFeed({ log, logger });
    const cache = openCache(broker, options.namespace ?? `t-${randomUUID()}`, redis);
    const questions: number[] = [];
    const pool = watched(database.pool, questions);
    const node: CameraNode = new CameraNode(
      {
        ...{ settings: loadSettings({}), broker, log, feed, db: database.db, pool, cache },
        clock: { now: () => node.now },
        ids: { uuid: () => uuidv7(), token: () => randomBytes(16).toString("base64url") },
        ...(redis === undefined ? {} : { redis }),
      },
      async () => {
        await stopFollowing?.();
        await broker.stop();
        await cache.close();
        await redis?.close();
        await log.close();
      },
    );
    Object.assign(node, { questions });
    broker.createService(createBranchService(node.runtime));
    broker.createService(createCameraService(node.runtime));
    broker.createService(createCameraCacheService(node.runtime));
    await broker.start();
    const stopFollowing: (() => Promise<void>) | undefined = await followEvents(node.runtime);
    if (redis !== undefined)
      await eventually(() => {
        expect(guardOf(redis).usable).toBe(true);
      });
    // What others kept under another log is ended first; until then it goes around the cache.
    const rules = cacheRulesOf(broker);
    await eventually(() => {
      const actions = rules.groups().flatMap((group) => group.actions);
      expect(actions.filter((action) => !rules.isFollowed(action))).toEqual([]);
    });
    return node;
  }

  /** Two branches. */
  async furnish(): Promise<void> {
    for (const [branch_id, code] of [
      [BRANCH, "K"],
      [OTHER_BRANCH, "L"],
    ] as const)
      await this.call(openBranch, {
        ...{ branch_id, code, name: { ru: code, en: code }, address: { ru: code, en: code } },
        ...{ time_zone: "Asia/Krasnoyarsk", is_default: branch_id === BRANCH },
      });
  }

  call<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    meta: CallMeta = {},
  ): Promise<ResultOf<C>> {
    return act(this.runtime.broker, contract, structuredClone(params), { meta: { caller: SYSTEM, ...meta } });
  }

  /** The refusal code that a call comes to; "not refused" if none. Faults are thrown on. */
  async refusal(contract: ActionContract, params: object, meta: CallMeta = {}): Promise<string> {
    try {
      await this.call(contract, params as ParamsOf<ActionContract>, meta);
      return "not refused";
    } catch (error) {
      const refused = refusalOf(error);
      if (refused === undefined) throw error;
      return refused.code;
    }
  }

  /** A camera of the first branch. */
  camera(changes: Partial<ParamsOf<typeof createCamera>> = {}): Promise<Camera> {
    cameras_made += 1;
    return this.call(createCamera, {
      ...{ mac_address: anyMac(), model: "Generic ONVIF", name: `camera ${String(cameras_made)}` },
      ...{ settings: { sensitivity: 50 }, branch_id: BRANCH, complex_id: "tower-1" },
      ...changes,
    });
  }

  /** Listens to what cameras report. */
  async listen(channel = CAMERA_EVENTS_CHANNEL): Promise<CameraEvent[]> {
    const heard: CameraEvent[] = [];
    await channelsOf(this.runtime).subscribe(channel, (message) => void heard.push(message as CameraEvent));
    return heard;
  }

  /** One line of this node's metrics. */
  async metric(name: string): Promise<number> {
    const text = await metricsOf(this.runtime.broker).render();
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    return Number(line?.split(" ").at(-1) ?? NaN);
  }

  stop(): Promise<void> {
    return this.close();
  }
}

/** A pool that notes how many addresses each question to the registry names. */
function watched(pool: TestDatabase["pool"], questions: number[]): TestDatabase["pool"] {
  return new Proxy(pool, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (name !== "query") return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return (text: string, values?: unknown[]) => {
        if (typeof text === "string" && text.includes("where mac_address = any"))
          questions.push((values?.[0] as unknown[]).length);
        return target.query(text, values);
      };
    },
  });
}
