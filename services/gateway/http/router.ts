/** What the router needs to know of a moleculer-web alias. */
export interface Routable {
  readonly method: string;
  readonly fullPath: string;
  /** Parameters of a path that fits, else false. */
  match(path: string): Record<string, unknown> | false;
}

export interface Found<A> {
  readonly alias: A;
  readonly params: Record<string, unknown>;
  /** Its path has parameters. */
  readonly isDynamic: boolean;
}

/** All aliases of one path. `/orders/:id` and `/orders/:order_id` are one, whatever each method calls its parameters. */
interface Shape<A> {
  readonly path: string;
  readonly any: A;
  readonly byMethod: Map<string, A>;
}

/**
 * Finds the alias of a request. moleculer-web itself tries one regular expression after the other, which with a few
 * hundred doors costs more than the rest of a request; here a path without parameters is one map look-up, and the others
 * are tried among those with as many segments. Static paths win over `:names`, in every segment from left to right, and they
 * win for all methods: what `/posts/top` does not take is not meant for a post whose id is "top".
 */
export class Router<A extends Routable> {
  readonly #static = new Map<string, Map<string, A>>();
  /** By their number of segments, what is more static first. */
  readonly #dynamic = new Map<number, Shape<A>[]>();

  constructor(aliases: readonly A[]) {
    for (const alias of aliases)
      if (alias.fullPath.includes("/:")) this.#addDynamic(alias);
      else this.#byMethod(alias.fullPath).set(alias.method, alias);
    for (const shapes of this.#dynamic.values()) shapes.sort(staticFirst);
  }

  /** The alias for a method and path. @throws what `match` throws for broken percent-encoding. */
  find(method: string, path: string): Found<A> | undefined {
    const fixed = this.#static.get(path);
    const alias = (fixed ?? this.#dynamicAt(path))?.get(method);
    if (alias === undefined) return undefined;
    const params = fixed === undefined ? alias.match(path) : {};
    return params === false ? undefined : { alias, params, isDynamic: fixed === undefined };
  }

  /** Methods that are taken at this path; none: the path is unknown. */
  methodsAt(path: string): string[] {
    return [...((this.#static.get(path) ?? this.#dynamicAt(path))?.keys() ?? [])].sort();
  }

  #dynamicAt(path: string): Map<string, A> | undefined {
    const shapes = this.#dynamic.get(segments(path)) ?? [];
    return shapes.find(({ any }) => any.match(path) !== false)?.byMethod;
  }

  #addDynamic(alias: A): void {
    const path = alias.fullPath.replaceAll(/:\w+/g, ":");
    const count = segments(path);
    const shapes = this.#dynamic.get(count) ?? [];
    this.#dynamic.set(count, shapes);
    const known = shapes.find((shape) => shape.path === path);
    if (known !== undefined) known.byMethod.set(alias.method, alias);
    else shapes.push({ path, any: alias, byMethod: new Map([[alias.method, alias]]) });
  }

  #byMethod(path: string): Map<string, A> {
    const known = this.#static.get(path);
    if (known !== undefined) return known;
    const fresh = new Map<string, A>();
    this.#static.set(path, fresh);
    return fresh;
  }
}

function segments(path: string): number {
  let count = 0;
  for (let i = path.indexOf("/"); i !== -1; i = path.indexOf("/", i + 1)) count++;
  return count;
}

function staticFirst(a: Pick<Shape<unknown>, "path">, b: Pick<Shape<unknown>, "path">): number {
  const left = a.path.split("/");
  const right = b.path.split("/");
  const differs = left.findIndex(
    (segment, i) => segment.startsWith(":") !== (right[i] ?? "").startsWith(":"),
  );
  return differs === -1 ? 0 : (left[differs] ?? "").startsWith(":") ? 1 : -1;
}
