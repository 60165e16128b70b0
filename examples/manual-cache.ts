import { withChain, type Print } from "./node";

/** The cache by hand: set, get, and three ways to end what is kept. Parts of a key are set apart by colons, its owner first. */
export function manualCacheExample(print: Print): Promise<void> {
  return withChain(async (chain) => {
    const [{ cache: here }, { cache: there }] = [await chain.node(), await chain.node()];
    await here.set("menu:pizza:1", { name: "Маргарита" }, { ttl_s: 60, tags: ["pizzas"] });
    await here.set("menu:pizza:2", { name: "Мясная" }, { ttl_s: 60, tags: ["pizzas"] });
    await here.set("menu:drink:1", { name: "Морс" }, { ttl_s: 60 });
    print(`on the other node: ${JSON.stringify(await there.get("menu:pizza:1"))}`);

    await there.invalidate("menu:pizza:1");
    print(`after invalidate: ${JSON.stringify(await here.get("menu:pizza:1"))}`);
    await there.invalidateTags("pizzas");
    print(`after invalidateTags: ${JSON.stringify(await here.get("menu:pizza:2"))}`);
    print(`by a pattern: ${String(await there.invalidatePattern("menu:drink:*"))} gone`);

    let computed = 0;
    const compute = async (): Promise<{ name: string }> => {
      computed += 1;
      return Promise.resolve({ name: "Пепперони" });
    };
    const wanted = Array.from({ length: 50 }, () =>
      here.getOrCompute("menu:pizza:3", { ttl_s: 60 }, compute),
    );
    await Promise.all(wanted);
    print(`50 at once: computed ${String(computed)} time`);
  });
}
