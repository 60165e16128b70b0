import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { SYSTEM } from "../../mixins/contract/caller";
import { act } from "../../mixins/contract/implement";
import { refusalOf } from "../../mixins/contract/refusal";
import type { Logger } from "../../mixins/logger";
import type { RedisLink } from "../../mixins/redis/redis-link";
import type { Runtime } from "../../mixins/runtime";
import { reloadMenu } from "../menu/menu.contract";
import { MENU_UPDATE_CHANNEL } from "./mirror.keys";

/** A reload follows the one before no sooner, however many messages come. */
const BETWEEN_RELOADS_MS = 250;
const RETRY_MS = 1_000;

/**
 * Hears `menu:update` and has the menu's rows read again. Every node listens: a message that only one node heard would be
 * lost when that node dies, and a reload that finds nothing new changes nothing. A flood comes to one reload at once and
 * one after it.
 */
export class MenuUpdates {
  readonly #subscriber: Redis;
  readonly #stopping = new AbortController();
  #wanted = false;
  #working: Promise<void> | undefined;

  constructor(
    private readonly broker: Runtime["broker"],
    redis: RedisLink,
    private readonly logger: Logger,
  ) {
    this.#subscriber = redis.subscriber("menu-updates");
    this.#subscriber.on("message", () => this.#wish());
    const subscribe = (): void => {
      this.#subscriber.subscribe(MENU_UPDATE_CHANNEL).catch((error: unknown) => {
        logger.warn(`not listening to ${MENU_UPDATE_CHANNEL} yet: ${String(error)}`);
      });
    };
    this.#subscriber.on("ready", subscribe);
  }

  /** Waits for a reload under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#subscriber.disconnect();
    await this.#working;
  }

  #wish(): void {
    this.#wanted = true;
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#wanted && !signal.aborted) {
      this.#wanted = false;
      const pause_ms = (await this.#reload()) ? BETWEEN_RELOADS_MS : RETRY_MS;
      await pause(pause_ms, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** False when it has to be tried again. */
  async #reload(): Promise<boolean> {
    try {
      const { message, version } = await act(this.broker, reloadMenu, {}, { meta: { caller: SYSTEM } });
      this.logger.info(`${MENU_UPDATE_CHANNEL} heard: ${message} Version ${String(version)}.`);
      return true;
    } catch (error) {
      const refusal = refusalOf(error);
      this.logger.warn(`the menu was not reloaded: ${refusal?.detail ?? String(error)}`);
      if (refusal === undefined) this.#wanted = true;
      return refusal !== undefined;
    }
  }
}
