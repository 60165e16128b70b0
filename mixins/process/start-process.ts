import { setTimeout as pause } from "node:timers/promises";
import { SYSTEM, type CallMeta } from "../contract/caller";
import type { ActionContract, ParamsOf } from "../contract/contract";
import { act } from "../contract/implement";
import { UnavailableError, refusalOf } from "../contract/refusal";
import type { RecordedEvent } from "../event-log/event-log";
import { positionAsOf } from "../event-log/position-as-of";
import { FencedError } from "../projection/checkpoint";
import { CheckpointedConsumer } from "../projection/checkpointed-consumer";
import type { ConsumerDeps, ConsumerTimes } from "../projection/consumer";
import { registerConsumer } from "../projection/consumer-registry";
import { derivedCommandId } from "./derived-id";
import type { ProcessCommand, ProcessHost, ProcessManager } from "./process";

/** Commands of one process manager under way at once; the log has 16 partitions, more would find no work. */
const CONCURRENCY_MAX = 8;
const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 10_000;
const REACHED_TIMEOUT_MS = 5_000;
/** The clocks of two servers may differ by so much; what is reacted to twice does no harm. */
const CLOCKS_DIFFER_MS_MAX = 3_600_000;

export interface ProcessDeps extends ConsumerDeps {
  /** Where actions are called. */
  readonly broker: Parameters<typeof act>[0];
}

/**
 * Puts a process manager to work on this node, from its checkpoint on. Events of one partition are reacted to in order,
 * different partitions at the same time. A refusal is the business's last word: logged, passed over. Anything else is
 * tried again until it goes through.
 */
export async function startProcess(
  deps: ProcessDeps,
  manager: ProcessManager,
  times?: ConsumerTimes,
): Promise<ProcessHost> {
  const reactor = new Reactor(deps, manager);
  const name = `process:${manager.name}`;
  const consumer = await CheckpointedConsumer.start(
    deps,
    {
      name,
      handles: manager.handles,
      async handle(events, move) {
        const { generation, name: log_name } = deps.log.lineage;
        // An event may be seen that a failover takes back: nothing is sent that comes from one.
        await deps.log.durable(generation);
        await reactor.reactToAll(events, { generation, log_name });
        await move(deps.pool);
      },
      async heal({ checkpoint }) {
        const head = await deps.log.head();
        const common = await positionAsOf(deps.log, checkpoint.as_of_ms - CLOCKS_DIFFER_MS_MAX, head);
        await checkpoint.put(deps.pool, Math.min(common, checkpoint.position));
        deps.logger.warn(`${name}: reacts again to everything after position ${String(common)}`);
      },
    },
    times,
  );
  const unregister = registerConsumer(deps.log, {
    name,
    kind: "process",
    get position() {
      return consumer.position;
    },
    get state() {
      return consumer.state;
    },
  });
  return {
    name: manager.name,
    get position() {
      return consumer.position;
    },
    reached: (position, timeout_ms = REACHED_TIMEOUT_MS) => consumer.reached(position, timeout_ms),
    async stop() {
      unregister();
      const stopped = consumer.stop();
      // What is left of the batch under way will be sent again, under the same ids.
      reactor.stop();
      await stopped;
    },
  };
}

/** The lineage under which events were read. */
interface ReadUnder {
  readonly generation: number;
  readonly log_name: string;
}

/** Reacts to events by sending commands under derived ids. */
class Reactor {
  readonly #stopped = new AbortController();

  constructor(
    private readonly deps: ProcessDeps,
    private readonly manager: ProcessManager,
  ) {}

  stop(): void {
    this.#stopped.abort();
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /**
   * @param read_under the lineage before the events were known to be safe.
   * @throws UnavailableError `process.stopped` when it was stopped in the middle; what was sent may be sent again. FencedError when
   *   the log went back meanwhile.
   */
  async reactToAll(events: readonly RecordedEvent[], read_under: ReadUnder): Promise<void> {
    const lanes = [...Map.groupBy(events, (event) => event.partition).values()];
    const work = async (): Promise<void> => {
      for (let lane = lanes.pop(); lane !== undefined; lane = lanes.pop())
        for (const event of lane) await this.#insist(event, () => this.#reactTo(event, read_under));
    };
    const done = await Promise.allSettled(
      Array.from({ length: Math.min(CONCURRENCY_MAX, lanes.length) }, work),
    );
    // Only now: nothing of this batch is on its way any more when somebody begins it again.
    for (const lane of done) if (lane.status === "rejected") throw lane.reason;
  }

  async #reactTo(event: RecordedEvent, read_under: ReadUnder): Promise<void> {
    const commands = await this.manager.react(event);
    for (const [index, { contract, params }] of commands.entries()) {
      const meta = this.#meta(event, index, read_under);
      await this.#insist(event, () => this.#send({ contract, params }, meta, read_under));
    }
  }

  #meta(event: RecordedEvent, index: number, { log_name }: ReadUnder): CallMeta {
    const { name } = this.manager;
    return {
      caller: SYSTEM,
      // The id alone says which command this is: a later version of `react` may word it differently.
      command: {
        id: derivedCommandId(event.event_id, name, index),
        fingerprint: `process:${name}`,
        of_log: log_name,
      },
      request_id: event.meta.correlation_id ?? event.event_id,
      ...(event.meta.traceparent === undefined ? {} : { traceparent: event.meta.traceparent }),
    };
  }

  async #send(
    { contract, params }: ProcessCommand,
    meta: CallMeta,
    { generation }: ReadUnder,
  ): Promise<void> {
    if (generation !== this.deps.log.lineage.generation)
      throw new FencedError(`process ${this.manager.name}: the log went back, this event may be lost.`);
    try {
      await act(this.deps.broker, contract, params as ParamsOf<ActionContract>, { meta });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      this.deps.logger.info(
        `process ${this.manager.name}: ${contract.name} was refused: ${refusal.code}, ${refusal.detail}`,
      );
    }
  }

  /** Repeats what fails, after growing pauses, until it succeeds or the process is stopped. */
  async #insist(event: RecordedEvent, work: () => Promise<void>): Promise<void> {
    for (let pause_ms = PAUSE_FIRST_MS; !this.#isStopped(); pause_ms = Math.min(2 * pause_ms, PAUSE_MAX_MS)) {
      try {
        await work();
        return;
      } catch (error) {
        if (this.#isStopped() || error instanceof FencedError) throw error;
        const what = `process ${this.manager.name}: ${event.type} at ${String(event.position)}`;
        this.deps.logger.warn(`${what} failed, again in ${String(pause_ms)} ms: ${String(error)}`);
        await pause(pause_ms, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => undefined);
      }
    }
    throw new UnavailableError("process.stopped", `The process ${this.manager.name} is stopping.`);
  }
}
