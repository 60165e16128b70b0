import { perBroker } from "../per-broker";

/** Whether this node wants traffic: not while it starts, and no more once it is stopping. */
export class Readiness {
  #phase: "starting" | "ready" | "stopping" = "starting";

  get phase(): "starting" | "ready" | "stopping" {
    return this.#phase;
  }

  /** Everything that is volatile has been rebuilt from the log. Without effect while stopping. */
  ready(): void {
    if (this.#phase === "starting") this.#phase = "ready";
  }

  /** The node is going away; there is no way back. */
  stopping(): void {
    this.#phase = "stopping";
  }
}

/** The readiness of this node. */
export const readinessOf = perBroker(() => new Readiness());
