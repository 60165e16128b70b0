import type { HealthFinding, HealthProbe } from "../../mixins/health/health-probes";
import type { Runtime } from "../../mixins/runtime";
import type { MirrorStore } from "./mirror.store";

/** Events behind the head from which on the mirror counts as late: some seconds of a rush hour. */
const LAG_EVENTS_MAX = 10_000;
/** A mirror that is behind and has not moved for so long is not being written. */
const STILL_MS_MAX = 5_000;

/** How far the mirror is behind the log, as Redis itself tells it: on whichever node it is written. */
export class MirrorLag {
  #behind: { readonly position: number; readonly since_ms: number } | undefined;

  constructor(
    private readonly needs: Pick<Runtime, "log" | "clock">,
    private readonly store: Pick<MirrorStore, "marker">,
    private readonly isLeading: () => boolean,
  ) {}

  probe(): HealthProbe {
    return { name: "redis_mirror", required: false, probe: () => this.#find() };
  }

  /** Events between the mirror and the head of the log. @throws when Redis or the log does not answer. */
  async read(): Promise<{ readonly position: number; readonly lag_events: number }> {
    const [marker, head] = await Promise.all([this.store.marker(), this.needs.log.head()]);
    const position = marker?.state === "following" ? marker.position : 0;
    return { position, lag_events: Math.max(0, head - position) };
  }

  async #find(): Promise<HealthFinding> {
    const head = await this.needs.log.head();
    const marker = await this.store.marker().catch(() => null);
    const leading = this.isLeading();
    if (marker === null) return { status: "down", detail: "Redis does not answer.", leading };
    if (marker?.state !== "following") return { status: "degraded", detail: "Being rebuilt.", leading };
    const { position } = marker;
    const lag_events = Math.max(0, head - position);
    const late = lag_events > LAG_EVENTS_MAX || this.#standsStill(position, lag_events);
    return { status: late ? "degraded" : "up", position, lag_events, leading };
  }

  /** Seen behind, at one position, for too long. */
  #standsStill(position: number, lag_events: number): boolean {
    const now_ms = this.needs.clock.now();
    if (lag_events === 0) this.#behind = undefined;
    else if (this.#behind?.position !== position) this.#behind = { position, since_ms: now_ms };
    return this.#behind !== undefined && now_ms - this.#behind.since_ms > STILL_MS_MAX;
  }
}
