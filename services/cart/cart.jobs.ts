import { act } from "../../mixins/contract/implement";
import { ERASED_EVENT } from "../../mixins/erasure/erased-event";
import { command, type ProcessManager } from "../../mixins/process/process";
import { startJob, type JobHandle } from "../../mixins/process/start-job";
import type { Runtime } from "../../mixins/runtime";
import type { CustomerErased } from "../customer/customer.events";
import { LEFT_AFTER_MS } from "./cart.checkout-ends";
import { closeCart, expireCart, settleCart, takeGuestsCart } from "./cart.contract";
import type { CartGiven } from "./cart.events";

const DAY_MS = 86_400_000;
/** A guest who stays away for so long finds an empty cart. */
const GUEST_DAYS = 30;
const EXPIRY_EVERY_MS = 6 * 3_600_000;
const SETTLE_EVERY_MS = 60_000;
/** Carts that are ended side by side. */
const PAGE = 100;
const NO_CART = "00000000-0000-0000-0000-000000000000";

/** A guest's cart that was given at a login reaches its customer, also when the request that gave it died on the way. */
export const takeWhatWasGiven: ProcessManager = {
  name: "cart-given-take",
  handles: ["cart.given"],
  react({ data }) {
    const { cart_id: from_cart_id, to_user_id: user_id, lines, promo_code } = data as CartGiven["data"];
    return [command(takeGuestsCart, { user_id, from_cart_id, contents: { lines, promo_code } })];
  },
};

/** Whoever was forgotten wants nothing any more. */
export const closeWhenErased: ProcessManager = {
  name: "customer-erased-cart",
  handles: [ERASED_EVENT],
  react({ data }) {
    const { user_id } = data as CustomerErased["data"];
    return user_id === null ? [] : [command(closeCart, { user_id })];
  },
};

/** Ends guests' carts that nobody has come back to. */
export function startExpiry(runtime: Runtime): JobHandle {
  return startJob(
    { pool: runtime.pool, logger: runtime.broker.getLogger("cart") },
    {
      name: "cart-expiry",
      every_ms: EXPIRY_EVERY_MS,
      run(stopping) {
        const unless_after = new Date(runtime.clock.now() - GUEST_DAYS * DAY_MS).toISOString();
        const due = { sql: UNTOUCHED, until: unless_after };
        return endEach(runtime, due, stopping, ({ cart_id }) =>
          act(runtime.broker, expireCart, { cart_id, unless_after }),
        );
      },
    },
  );
}

/** Brings checkouts to their end that somebody left in the middle. */
export function startSettling(runtime: Runtime): JobHandle {
  return startJob(
    { pool: runtime.pool, logger: runtime.broker.getLogger("cart") },
    {
      name: "cart-settle",
      every_ms: SETTLE_EVERY_MS,
      run(stopping) {
        const due = { sql: LEFT, until: new Date(runtime.clock.now() - LEFT_AFTER_MS).toISOString() };
        return endEach(runtime, due, stopping, ({ cart_id, user_id }) =>
          act(runtime.broker, settleCart, { cart_id, user_id }),
        );
      },
    },
  );
}

interface DueCart {
  readonly cart_id: string;
  readonly user_id: string | null;
  /** Since when; as text, which is exact to the microsecond. */
  readonly since: string;
}

/** Carts that are due since `until` or longer, the oldest first, after one of them. */
const dueBy = (column: string, which: string): string => `
  select cart_id, user_id, ${column}::text as since from carts
  where ${which} and ${column} <= $1 and (${column}, cart_id) > ($2, $3)
  order by ${column}, cart_id limit ${String(PAGE)}`;
const UNTOUCHED = dueBy("changed_at", "user_id is null");
const LEFT = dueBy("checkout_at", "checkout_at is not null");

/** Ends all carts that are due, page by page. What goes wrong with one keeps no other from its end; it comes round again. */
async function endEach(
  { pool, broker }: Pick<Runtime, "pool" | "broker">,
  { sql, until }: { readonly sql: string; readonly until: string },
  stopping: AbortSignal,
  end: (cart: DueCart) => Promise<unknown>,
): Promise<void> {
  const logger = broker.getLogger("cart");
  let last: Omit<DueCart, "user_id"> = { since: "-infinity", cart_id: NO_CART };
  while (!stopping.aborted) {
    const { rows } = await pool.query<DueCart>(sql, [until, last.since, last.cart_id]);
    await Promise.all(
      rows.map((cart) =>
        end(cart).catch((error: unknown) => {
          logger.warn(`cart ${cart.cart_id} is left for later: ${String(error)}`);
        }),
      ),
    );
    const newest = rows.at(-1);
    if (newest === undefined) return;
    last = newest;
  }
}
