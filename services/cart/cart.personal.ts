import type { PersonalRecords } from "../../mixins/erasure/personal-records";
import { cartDecider } from "./cart.decider";
import { cartStream, type CartEvent } from "./cart.events";

/** What somebody wants to order. Ended by a process that follows the erasure; guests' carts are nobody's. */
export const cartRecords: PersonalRecords = {
  name: "cart",
  async known({ log }, { user_id }) {
    if (user_id === null) return null;
    const events = await log.readStream(cartStream(user_id));
    const { open, lines, promo_code, changed_at } = events.reduce(
      (before, { type, data }) => cartDecider.evolve(before, { type, data } as CartEvent),
      cartDecider.initialState(),
    );
    return open ? { lines, promo_code, changed_at } : null;
  },
};
