import type { ServiceBroker } from "moleculer";

/**
 * One object for each broker, made at the first call: how rooms of one node share a registry without importing each
 * other, while several nodes in one process (as in tests) stay apart.
 */
export function perBroker<T>(make: (broker: ServiceBroker) => T): (broker: ServiceBroker) => T {
  const made = new WeakMap<ServiceBroker, T>();
  return (broker) => {
    const known = made.get(broker);
    if (known !== undefined) return known;
    const fresh = make(broker);
    made.set(broker, fresh);
    return fresh;
  };
}
