import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { UnavailableError, refusalOf } from "../contract/refusal";
import type { EventLog, Position } from "../event-log/event-log";
import { perBroker } from "../per-broker";
import { healthProbesOf, type HealthFinding } from "./health-probes";

/** A wait in one piece; then it is looked how far the other has come. */
const LOOK_EVERY_MS = 1_000;
/** Where that could not even be asked. */
const AGAIN_MS = 200;
const SAY_EVERY_MS = 5_000;

type Log = Pick<EventLog, "head">;

/** Somebody who reads the log, and can be waited for. */
export interface Reader {
  readonly position: Position;
  /**
   * @throws UnavailableError when it was not there in time, or `….stopped`: it will not come any further; RefusedError
   *   `input.position_unknown`.
   */
  reached(position: Position, timeout_ms: number): Promise<void>;
}

interface Progress {
  readonly from: Position;
  to: Position;
  readonly since_ms: number;
  readonly reader: Reader;
}

/** What a start waits for: readers of this node that have yet to come to where the log was. */
class CatchingUp {
  readonly #waiting = new Map<string, Progress>();

  constructor(private readonly broker: ServiceBroker) {
    healthProbesOf(broker).add({
      name: "catching_up",
      required: false,
      probe: () => Promise.resolve(this.#find()),
    });
  }

  async wait(log: Log, name: string, reader: Reader, to: Position): Promise<void> {
    const begun_ms = performance.now();
    const progress: Progress = { from: reader.position, to, since_ms: begun_ms, reader };
    this.#waiting.set(name, progress);
    let said_ms = begun_ms;
    try {
      while (!(await isThere(progress))) {
        // A log that went back meanwhile may never come to where it was.
        progress.to = Math.min(to, await log.head().catch(() => to));
        if (performance.now() - said_ms < SAY_EVERY_MS) continue;
        said_ms = performance.now();
        this.broker.getLogger("forno").info(`not ready yet: ${name} is ${figure(progress)}`);
      }
    } finally {
      this.#waiting.delete(name);
    }
    if (said_ms > begun_ms) {
      const seconds = ((performance.now() - begun_ms) / 1_000).toFixed(1);
      this.broker.getLogger("forno").info(`${name} has caught up with the log after ${seconds} s`);
    }
  }

  #find(): HealthFinding {
    const [last] = [...this.#waiting].sort(([, a], [, b]) => leftOf(b) - leftOf(a));
    if (last === undefined) return { status: "up" };
    const [name, progress] = last;
    const { position } = progress.reader;
    return {
      status: "degraded",
      ...{ reader: name, position, head: progress.to, seconds_left: secondsLeft(progress) ?? null },
      detail: `This node is not ready: ${name} is ${figure(progress)}. It takes traffic when it is there.`,
    };
  }
}

const catchingUpOf = perBroker((broker) => new CatchingUp(broker));

/**
 * Waits until a reader has come to a position, however long that takes: a node that was away, or whose read models are made anew, may
 * be millions of events behind, and starting it again would only begin anew. Says meanwhile how far it is, in health (`catching_up`) and
 * in the log. @throws whatever keeps the reader from ever coming there.
 */
export async function untilCaughtUp(
  { broker, log }: { readonly broker: ServiceBroker; readonly log: Log },
  name: string,
  reader: Reader,
  to?: Position,
): Promise<void> {
  await catchingUpOf(broker).wait(log, name, reader, to ?? (await log.head()));
}

async function isThere({ reader, to }: Progress): Promise<boolean> {
  try {
    await reader.reached(to, LOOK_EVERY_MS);
    return true;
  } catch (error) {
    const fault = error instanceof UnavailableError ? error.type : undefined;
    const isUnknown = refusalOf(error)?.code === "input.position_unknown";
    if ((fault === undefined && !isUnknown) || fault?.endsWith(".stopped") === true) throw error;
    if (fault?.endsWith(".behind") !== true) await pause(AGAIN_MS);
    return false;
  }
}

const leftOf = ({ to, reader }: Progress): number => Math.max(0, to - reader.position);

/** Undefined: nothing has moved yet. */
function secondsLeft(progress: Progress): number | undefined {
  const done = progress.reader.position - progress.from;
  const seconds = (performance.now() - progress.since_ms) / 1_000;
  return done <= 0 ? undefined : Math.ceil((leftOf(progress) * seconds) / done);
}

function figure(progress: Progress): string {
  const left = secondsLeft(progress);
  const time = left === undefined ? "" : `, some ${String(left)} s left`;
  return `at ${String(progress.reader.position)} of ${String(progress.to)} events${time}`;
}
