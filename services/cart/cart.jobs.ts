import { act } from "../../mixins/contract/implement";
import { command, type ProcessManager } from "../../mixins/process/process";
import { startJob, type JobHandle } from "../../mixins/process/start-job";
import type { Runtime } from "../../mixins/runtime";
import { LEFT_AFTER_MS } from "./cart.checkout-ends";
import { expireCart, settleCart, takeGuestsCart } from "./cart.contract";
import type { CartGiven } from "./cart.events";

const DAY_MS = 86_400_000;
/** A guest who stays away for so long finds an empty cart. */
const GUEST_DAYS = 30;
const EXPIRY_EVERY_MS = 6 * 3_600_000;
const SETTLE_EVERY_MS = 60_000;
/** Carts of one run; the rest waits for the next one. */
const RUN_MAX = 1_000;

/** A guest's cart that was given at a login reaches its customer, also when the request that gave it died on the way. */
export const takeWhatWasGiven: ProcessManager = {
  name: "cart-given-take",
  handles: ["cart.given"],
  react({ data }) {
    const { cart_id: from_cart_id, to_user_id: user_id, lines, promo_code } = data as CartGiven["data"];
    return [command(takeGuestsCart, { user_id, from_cart_id, contents: { lines, promo_code } })];
  },
};

/** Ends guests' carts that nobody has come back to. */
export function startExpiry({ pool, broker, clock }: Runtime): JobHandle {
  return startJob(
    { pool, logger: broker.getLogger("cart") },
    {
      name: "cart-expiry",
      every_ms: EXPIRY_EVERY_MS,
      async run(stopping) {
        const unless_after = new Date(clock.now() - GUEST_DAYS * DAY_MS).toISOString();
        const { rows } = await pool.query<{ cart_id: string }>(
          "select cart_id from carts where user_id is null and changed_at <= $1 order by changed_at limit $2",
          [unless_after, RUN_MAX],
        );
        for (const { cart_id } of rows) {
          if (stopping.aborted) return;
          await act(broker, expireCart, { cart_id, unless_after });
        }
      },
    },
  );
}

/** Brings checkouts to their end that somebody left in the middle. */
export function startSettling({ pool, broker, clock }: Runtime): JobHandle {
  return startJob(
    { pool, logger: broker.getLogger("cart") },
    {
      name: "cart-settle",
      every_ms: SETTLE_EVERY_MS,
      async run(stopping) {
        const { rows } = await pool.query<{ cart_id: string; user_id: string | null }>(
          "select cart_id, user_id from carts where checkout_at <= $1 order by checkout_at limit $2",
          [new Date(clock.now() - LEFT_AFTER_MS), RUN_MAX],
        );
        for (const cart of rows) {
          if (stopping.aborted) return;
          await act(broker, settleCart, cart);
        }
      },
    },
  );
}
