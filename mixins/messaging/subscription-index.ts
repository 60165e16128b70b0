import type { Comparable, CompiledSubscription, Row } from "./subscription-filter";

/**
 * Finds the subscriptions that a message is for without asking all: each lies under the values of the one field that tells most
 * (camera before complex before branch), and only those that name no value are asked every time.
 */
export class SubscriptionIndex<S extends { readonly compiled: CompiledSubscription }> {
  readonly #byField = new Map<string, Map<Comparable, Set<S>>>();
  readonly #everything = new Set<S>();

  add(subscription: S): void {
    const { lookup } = subscription.compiled;
    if (lookup === undefined) {
      this.#everything.add(subscription);
      return;
    }
    const byValue = this.#byField.get(lookup.field) ?? new Map<Comparable, Set<S>>();
    this.#byField.set(lookup.field, byValue);
    for (const value of lookup.values) {
      const there = byValue.get(value);
      if (there === undefined) byValue.set(value, new Set([subscription]));
      else there.add(subscription);
    }
  }

  delete(subscription: S): void {
    const { lookup } = subscription.compiled;
    this.#everything.delete(subscription);
    if (lookup === undefined) return;
    const byValue = this.#byField.get(lookup.field);
    for (const value of lookup.values) {
      const there = byValue?.get(value);
      there?.delete(subscription);
      if (there?.size === 0) byValue?.delete(value);
    }
    if (byValue?.size === 0) this.#byField.delete(lookup.field);
  }

  /** Those that may match; each once, since it lies under one field and a message has one value of that. */
  candidates(row: Row): S[] {
    const found = [...this.#everything];
    for (const [field, byValue] of this.#byField) {
      const value = row.get(field);
      if (value !== undefined) for (const one of byValue.get(value) ?? []) found.push(one);
    }
    return found;
  }
}
