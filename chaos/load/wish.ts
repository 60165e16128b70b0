import type { Wish } from "../history";
import type { Random } from "../random";
import type { ChaosBranch, World } from "./world";

/** Different dishes of an order, at most. */
const LINES_MAX = 3;

/** What somebody orders at a branch: some dishes, some with an extra, some to be brought, some with a code. */
export function wishIn(
  { pizzas, promo_code, first_code }: Pick<World, "pizzas" | "promo_code" | "first_code">,
  { branch_id, quantity: [min, max], lines_max }: ChaosBranch,
  user_id: string | null,
  random: Random,
): Wish {
  const dishes = random.shuffled(pizzas).slice(0, random.between(1, Math.min(LINES_MAX, lines_max)));
  const wantsCode = random.chance(0.15);
  const wantsFirst = random.chance(0.2);
  return {
    branch_id,
    channel: random.chance(0.2) ? "grpc" : "shop",
    fulfilment: random.chance(0.25) ? "delivery" : "pickup",
    promo_code: wantsCode ? promo_code : wantsFirst && user_id !== null ? first_code : null,
    user_id,
    items: dishes.map(({ id, extras }) => {
      const quantity = random.between(min, max);
      const wantsExtra = random.chance(0.2);
      return { menu_item_id: id, quantity, extras: wantsExtra ? extras.slice(0, 1) : [] };
    }),
  };
}
