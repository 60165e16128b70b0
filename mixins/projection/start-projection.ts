import type { Position } from "../event-log/event-log";
import { UnavailableError } from "../contract/refusal";
import { assertKnownPosition } from "../event-log/known-position";
import { CheckpointedConsumer } from "./checkpointed-consumer";
import type { ConsumerDeps, ConsumerTimes } from "./consumer";
import { registerConsumer } from "./consumer-registry";
import type { Projection, ProjectionHost, RebuildProgress } from "./projection";
import { dropLeftShadow, Rebuild } from "./rebuild";
import { inDerivedTransaction } from "./transaction";

/** A read of one's own write waits so long; the projection is usually there within milliseconds. */
const REACHED_TIMEOUT_MS = 5_000;
const SAY_EVERY_MS = 5_000;

/** Puts a projection to work on this node, from its checkpoint on, and shows it to operators until it is stopped. */
export async function startProjection(
  deps: ConsumerDeps,
  projection: Projection,
  times?: ConsumerTimes,
): Promise<ProjectionHost> {
  await dropLeftShadow(deps, projection.name);
  const consumer = await CheckpointedConsumer.start(
    deps,
    {
      name: projection.name,
      handles: projection.handles,
      handle: (events, move) =>
        inDerivedTransaction(deps.pool, async (tx) => {
          await move(tx);
          await projection.apply(events, tx);
        }),
      heal: async ({ consumer: healed, stopping }) => {
        const progress = sayNow(deps, projection.name);
        await new Rebuild(deps, projection, healed, progress, stopping).run();
      },
    },
    times,
  );
  return new RunningProjection(deps, projection, consumer);
}

/** A line of progress now and then, for a rebuild that nobody asked for. */
function sayNow({ logger }: ConsumerDeps, name: string): (state: RebuildProgress) => void {
  let said_ms = performance.now();
  return ({ events, head, seconds_left }) => {
    if (performance.now() - said_ms < SAY_EVERY_MS) return;
    said_ms = performance.now();
    const left = String(Math.ceil(seconds_left));
    logger.info(`projection ${name}: rebuilt ${String(events)} of ${String(head)} events, ${left} s left`);
  };
}

class RunningProjection implements ProjectionHost {
  readonly #unregister: () => void;
  readonly #stopping = new AbortController();
  #rebuilding: Promise<void> | undefined;

  constructor(
    private readonly deps: ConsumerDeps,
    private readonly projection: Projection,
    private readonly consumer: CheckpointedConsumer,
  ) {
    this.#unregister = registerConsumer(deps.log, {
      name: projection.name,
      kind: "projection",
      get position() {
        return consumer.position;
      },
      get state() {
        return consumer.state;
      },
      rebuild: (progress) => this.rebuild(progress),
    });
  }

  get name(): string {
    return this.projection.name;
  }

  get position(): Position {
    return this.consumer.position;
  }

  async reached(position: Position, timeout_ms = REACHED_TIMEOUT_MS): Promise<void> {
    if (position > this.position) await assertKnownPosition(this.deps.log, position);
    return this.consumer.reached(position, timeout_ms);
  }

  /** Whoever asks while a rebuild is under way gets that one. */
  rebuild(progress?: (state: RebuildProgress) => void): Promise<void> {
    const told = progress ?? (() => undefined);
    this.#rebuilding ??= new Rebuild(this.deps, this.projection, this.consumer, told, this.#stopping.signal)
      .run()
      .finally(() => (this.#rebuilding = undefined));
    return this.#rebuilding;
  }

  async stop(): Promise<void> {
    this.#unregister();
    this.#stopping.abort(
      new UnavailableError("projection.stopped", `${this.name} has stopped; rebuild it again in a moment.`),
    );
    await this.#rebuilding?.catch(() => undefined);
    await this.consumer.stop();
  }
}
