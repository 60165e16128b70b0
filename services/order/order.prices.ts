import type { Ctx } from "../../mixins/contract/caller";
import { act, commandOf } from "../../mixins/contract/implement";
import type { Position } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { getBranch } from "../branch/branch.contract";
import type { Branch } from "../branch/branch.events";
import { quoteMenu, type Quote } from "../menu/menu.contract";
import type { OrderWish } from "./order.draft";
import type { Remaining } from "./order.offers";

/**
 * An order is placed at prices that were asked for so long ago at most: a node that was frozen meanwhile has missed what the
 * desk has changed. Asking and taking are done in milliseconds, at a rush in a second.
 */
const PRICES_LAST_MS = 3_000;

/** What an order costs, and where, as it was known at a moment. */
interface Priced {
  /** Milliseconds since the epoch, before anybody was asked. */
  readonly now: number;
  readonly branch: Branch;
  readonly quote: Quote;
}

/** What is known of limited offers beside this node's count, and how much of the log the menu must have read. */
interface Knowing {
  readonly remaining?: Remaining;
  readonly after?: Position;
}

/** Asks what one order costs, as often as it has to be known. */
export class OrderPrices {
  /** Whether nothing can be taken yet by an attempt before; read before any call, as all that travels in `meta`. */
  readonly #first: boolean;

  constructor(
    private readonly runtime: Pick<Runtime, "clock" | "log">,
    private readonly ctx: Ctx<OrderWish>,
    private readonly branch_id: string | undefined,
  ) {
    this.#first = commandOf(ctx).fresh === true;
  }

  /** From this node's memory. Of an order that may have been tried before, only the quotas know what is its own. */
  ask(): Promise<Priced> {
    return this.#ask(this.#first ? {} : { remaining: {} });
  }

  /** From what the log says by now, where this node's memory may be as old as the prices. */
  async askAnew(): Promise<Priced> {
    return this.#ask({ remaining: {}, after: await this.runtime.log.head() });
  }

  /** With what quotas have said. */
  quote(knowing: Knowing): Promise<Quote> {
    const { items, promo_code } = this.ctx.params;
    return act(this.ctx, quoteMenu, {
      items,
      ...(promo_code === undefined ? {} : { promo_code }),
      ...knowing,
    });
  }

  isOld({ now }: Priced): boolean {
    return this.runtime.clock.now() - now > PRICES_LAST_MS;
  }

  async #ask(knowing: Knowing): Promise<Priced> {
    const now = this.runtime.clock.now();
    const of = this.branch_id === undefined ? {} : { branch_id: this.branch_id };
    const fresh = knowing.after !== undefined;
    const [branch, quote] = await Promise.all([
      act(this.ctx, getBranch, { ...of, fresh }),
      this.quote(knowing),
    ]);
    return { now, branch, quote };
  }
}
