import { Chain, type Placed } from "./chain";
import type { FornoUnderTest } from "./forno";
import { GrpcClient } from "./grpc-client";
import { anyMac, type Place } from "./rights.examples";
import { LETTERS, type Letter } from "./rights.golden";

const STAFF = ["manager", "technologist", "cook", "courier"] as const;

/**
 * Two branches with the same things in each, staff who work at one of them, and two customers of whom each has ordered at
 * one: so that everybody has a place of their own and a foreign one.
 */
export class RightsWorld {
  readonly grpc: GrpcClient;
  readonly #tokens = new Map<Letter, string>();

  private constructor(
    readonly chain: Chain,
    private readonly own: Place,
    private readonly foreign: Place,
  ) {
    this.grpc = GrpcClient.orders(chain.forno.grpcPort);
  }

  static async open(forno: FornoUnderTest): Promise<RightsWorld> {
    const chain = await Chain.of(forno);
    const [mine, theirs] = [await chain.account("customer"), await chain.account("customer")];
    const own = await placeIn(chain, mine);
    const world = new RightsWorld(chain, own, await placeIn(chain, theirs));
    world.#tokens.set("s", chain.admin).set("k", mine);
    for (const role of STAFF) {
      const letter = (Object.keys(LETTERS) as Letter[]).find((one) => LETTERS[one] === role);
      if (letter !== undefined) world.#tokens.set(letter, await chain.account(role, [own.branch_id]));
    }
    return world;
  }

  close(): void {
    this.grpc.close();
  }

  /** Guests have none. */
  tokenOf(who: Letter): string | undefined {
    return this.#tokens.get(who);
  }

  placeOf(which: "own" | "foreign"): Place {
    return which === "own" ? this.own : this.foreign;
  }
}

async function placeIn(chain: Chain, customer: string): Promise<Place> {
  const branch_id = await chain.openBranch();
  const order_more = (): Promise<Placed> => chain.placed(chain.delivery({ branch_id }), { token: customer });
  const review_more = await reviewsIn(chain, customer, branch_id);
  const mac_address = anyMac();
  const camera = async (mac: string): Promise<string> => {
    const body = { branch_id, mac_address: mac, model: "generic" };
    return (await chain.desk<{ camera_id: string }>("POST", "/api/v1/cameras", body)).body.camera_id;
  };
  return {
    ...{ branch_id, mac_address, order_more, review_more },
    order: await order_more(),
    camera_id: await camera(mac_address),
    review_id: await review_more(),
    camera_more: () => camera(anyMac()),
    key_more: async () => {
      const key = { branch_id, name: "Probe" };
      return (await chain.desk<{ key_id: string }>("POST", "/api/v1/camera-keys", key)).body.key_id;
    },
  };
}

/** A customer who has received one of each pizza writes of one after the other. */
async function reviewsIn(chain: Chain, customer: string, branch_id: string): Promise<() => Promise<string>> {
  const dishes = chain.menu.pizzas.map(({ id }) => id);
  const items = dishes.map((menu_item_id) => ({ menu_item_id, quantity: 1 }));
  const { order_id } = await chain.placed(chain.wish({ branch_id, items }), { token: customer });
  for (const status of ["preparing", "cooking", "ready", "delivered"]) await chain.step(order_id, status);
  return async () => {
    const menu_item_id = dishes.shift();
    if (menu_item_id === undefined) throw new Error("There is no dish left to write of.");
    const review = { menu_item_id, order_id, rating: 5, text: "Probe" };
    const { status, body } = await chain.forno.ask<{ review_id: string }>("POST", "/api/reviews", {
      body: review,
      token: customer,
    });
    if (status >= 300) throw new Error(JSON.stringify(body));
    return body.review_id;
  };
}
