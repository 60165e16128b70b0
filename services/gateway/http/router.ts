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
}

/**
 * Finds the alias of a request. moleculer-web itself tries one regular expression after the other, which with a few
 * hundred doors costs more than the rest of a request; here a path without parameters is one map look-up, and the others
 * are tried among those with as many segments. Static paths win over `:names`, in every segment from left to right.
 */
export class Router<A extends Routable> {
  readonly #static = new Map<string, Map<string, A>>();
  readonly #dynamic = new Map<number, A[]>();

  constructor(aliases: readonly A[]) {
    for (const alias of aliases)
      if (alias.fullPath.includes("/:")) push(this.#dynamic, segments(alias.fullPath), alias);
      else this.#byMethod(alias.fullPath).set(alias.method, alias);
    for (const list of this.#dynamic.values()) list.sort(staticFirst);
  }

  /** The alias for a method and path. @throws what `match` throws for broken percent-encoding. */
  find(method: string, path: string): Found<A> | undefined {
    const alias = this.#static.get(path)?.get(method);
    if (alias !== undefined) return { alias, params: {} };
    for (const candidate of this.#dynamic.get(segments(path)) ?? []) {
      if (candidate.method !== method) continue;
      const params = candidate.match(path);
      if (params !== false) return { alias: candidate, params };
    }
    return undefined;
  }

  /** Methods that some door takes at this path; none: the path is unknown. */
  methodsAt(path: string): string[] {
    const methods = [
      ...(this.#static.get(path)?.keys() ?? []),
      ...this.#candidates(path).map((alias) => alias.method),
    ];
    return [...new Set(methods)].sort();
  }

  #candidates(path: string): A[] {
    return (this.#dynamic.get(segments(path)) ?? []).filter((alias) => alias.match(path) !== false);
  }

  #byMethod(path: string): Map<string, A> {
    const known = this.#static.get(path);
    if (known !== undefined) return known;
    const fresh = new Map<string, A>();
    this.#static.set(path, fresh);
    return fresh;
  }
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function segments(path: string): number {
  let count = 0;
  for (let i = path.indexOf("/"); i !== -1; i = path.indexOf("/", i + 1)) count++;
  return count;
}

function staticFirst(a: Routable, b: Routable): number {
  const left = a.fullPath.split("/");
  const right = b.fullPath.split("/");
  const differs = left.findIndex(
    (segment, i) => segment.startsWith(":") !== (right[i] ?? "").startsWith(":"),
  );
  return differs === -1 ? 0 : (left[differs] ?? "").startsWith(":") ? 1 : -1;
}
