import type { Ctx } from "../../mixins/contract/caller";
import type { ParamsOf } from "../../mixins/contract/contract";
import { act } from "../../mixins/contract/implement";
import { refusalOf, type Refusal } from "../../mixins/contract/refusal";
import type { Position } from "../../mixins/event-log/event-log";
import { getBranch } from "../branch/branch.contract";
import { deliveryFeeOf } from "../branch/branch.events";
import { quoteMenu, type Quote } from "../menu/menu.contract";
import type { CartView } from "./cart.contract";
import type { CartContents, CartLine, LineContent } from "./cart.events";

/** One wish as the menu takes it. */
export type Wish = ParamsOf<typeof quoteMenu>["items"][number];

/** A wish list as far as it can be ordered now, and why the rest cannot. */
export interface Priced {
  /** Null: nothing of it can be ordered. */
  readonly quote: Quote | null;
  /** By place in the list. */
  readonly problems: ReadonlyMap<number, Refusal>;
  readonly promo_problem: Refusal | null;
}

export const wishOf = ({ menu_item_id, quantity, extras, exclude_ingredients }: CartLine): Wish => ({
  ...{ menu_item_id, quantity },
  ...{ extras: [...extras], exclude_ingredients: [...exclude_ingredients] },
});

/** The wish that an item of an order or a quote came of. */
export function wishBehind({
  menu_item_id,
  quantity,
  extras,
  exclude_ingredients,
}: Omit<LineContent, "extras"> & {
  readonly quantity: number;
  readonly extras: readonly { readonly extra_id: string }[];
}) {
  return {
    ...{ menu_item_id, quantity },
    ...{ extras: extras.map(({ extra_id }) => extra_id), exclude_ingredients: [...exclude_ingredients] },
  };
}

/**
 * Prices what can be ordered of a list. The menu refuses a list as a whole and names the first item that is in the way, so it
 * is asked again without that one: mostly once, and from memory.
 */
export async function priced(
  ctx: Ctx<unknown>,
  wishes: readonly Wish[],
  promo_code: string | null,
): Promise<Priced> {
  const problems = new Map<number, Refusal>();
  let promo_problem: Refusal | null = null;
  for (;;) {
    const open = [...wishes.keys()].filter((place) => !problems.has(place));
    const items = open.flatMap((place) => wishes[place] ?? []);
    if (items.length === 0) return { quote: null, problems, promo_problem };
    const promo = promo_code === null || promo_problem !== null ? {} : { promo_code };
    try {
      return { quote: await act(ctx, quoteMenu, { items, ...promo }), problems, promo_problem };
    } catch (error) {
      const refusal = refusalOf(error);
      const at = refusal?.data?.["item_index"];
      const place = typeof at === "number" ? open[at] : undefined;
      if (refusal !== undefined && place !== undefined) problems.set(place, refusal);
      // What is said of no item is said of the code.
      else if (refusal !== undefined && "promo_code" in promo) promo_problem = refusal;
      else throw error;
    }
  }
}

/** A cart with today's prices. */
export async function cartView(
  ctx: Ctx<unknown>,
  { lines, promo_code }: CartContents,
  position: Position,
  branch_id?: string,
): Promise<CartView> {
  const { quote, problems, promo_problem } = await priced(ctx, lines.map(wishOf), promo_code);
  const { items_total_minor = 0, discount_minor = 0, currency = null } = quote ?? {};
  const rest = items_total_minor - discount_minor;
  const quoted = [...(quote?.items ?? [])];
  return {
    items: lines.map((line, place) => {
      const problem = problems.get(place);
      return lineView(line, problem, problem === undefined ? quoted.shift() : undefined);
    }),
    items_count: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    ...{ currency, items_total_minor, discount_minor, total_minor: rest },
    promo:
      promo_code === null
        ? null
        : {
            code: promo_code,
            accepted: quote !== null && promo_problem === null,
            problem: promo_problem && problemView(promo_problem),
          },
    delivery: await deliveryView(ctx, items_total_minor, rest, branch_id),
    position,
  };
}

function lineView(
  { line_id, menu_item_id, quantity, extras, exclude_ingredients }: CartLine,
  problem: Refusal | undefined,
  quoted: Quote["items"][number] | undefined,
): CartView["items"][number] {
  return {
    ...{ line_id, menu_item_id, quantity },
    ...{ extras: [...extras], exclude_ingredients: [...exclude_ingredients] },
    available: problem === undefined,
    problem: problem === undefined ? null : problemView(problem),
    name: quoted === undefined ? null : { ...quoted.name },
    unit_price_minor: quoted?.unit_price_minor ?? null,
    list_price_minor: quoted?.list_price_minor ?? null,
    flash_sale_id: quoted?.flash_sale_id ?? null,
    line_total_minor: quoted?.line_total_minor ?? null,
  };
}

export const problemView = ({ code, detail }: Refusal): { code: string; detail: string } => ({
  code,
  detail,
});

/** Null: the chain has no branch yet, and none was asked for. */
async function deliveryView(
  ctx: Ctx<unknown>,
  items_total_minor: number,
  rest_minor: number,
  wanted: string | undefined,
): Promise<CartView["delivery"]> {
  try {
    const branch = await act(ctx, getBranch, wanted === undefined ? {} : { branch_id: wanted });
    const { branch_id, free_delivery_from_minor } = branch;
    const fee_minor = deliveryFeeOf(branch, items_total_minor);
    return {
      branch_id,
      fee_minor,
      free_from_minor: free_delivery_from_minor,
      total_minor: rest_minor + fee_minor,
    };
  } catch (error) {
    if (wanted === undefined && refusalOf(error) !== undefined) return null;
    throw error;
  }
}
