import { actorHostsOf } from "../../mixins/actor/actor-registry";
import { act } from "../../mixins/contract/implement";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import { consumersOf, projectionStatus } from "../../mixins/projection/consumer-registry";
import type { Runtime } from "../../mixins/runtime";
import { listActiveOrders } from "../order/order.contract";
import { listSlots } from "../slot/slot.contract";

const TAIL_DEFAULT = 20;
const TAIL_MAX = 1_000;
const LIST_MAX = 200;

/** What a command was called with: `moleculer-repl` puts positional arguments and options into one object. */
interface Args {
  readonly options: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly [name: string]: unknown;
}
type Say = (line: unknown) => void;

/** A custom command in the form that `moleculer-repl` takes. */
export interface OperatorCommand {
  readonly command: string;
  readonly description: string;
  readonly options?: { option: string; description: string }[];
  readonly action: (broker: unknown, args: never) => Promise<void>;
}

/**
 * The operators' words at the prompt, beside Moleculer's own (`nodes`, `services`, `call`, …). They print what they find and
 * throw nothing: the prompt shows a failed command's message and goes on.
 */
export function operatorCommands(
  runtime: Runtime,
  say: Say = console.log,
  table: Say = console.table,
): OperatorCommand[] {
  const following = new EventFollower(runtime, say);
  return [
    {
      command: "orders",
      description: "Active orders",
      options: [{ option: "-b, --branch <branch_id>", description: "of one branch" }],
      action: async (_broker, { options }: Args) => {
        const page = await act(runtime.broker, listActiveOrders, { limit: LIST_MAX, ...branchOf(options) });
        table(page.items.map(({ display_id, status, ready_at, visible_at, total_minor, order_id }) => ({ display_id, status, ready_at, visible_at, total_minor, order_id }))); // prettier-ignore
      },
    },
    {
      command: "slots",
      description: "Today's slots with their load",
      options: [
        { option: "-b, --branch <branch_id>", description: "of one branch; the default branch unless said" },
      ],
      action: async (_broker, { options }: Args) => {
        const page = await act(runtime.broker, listSlots, branchOf(options));
        table(page.items.map(({ start, end, load_minor, capacity_minor, orders_count, disabled }) => ({ start, end, load_minor, capacity_minor, orders_count, disabled }))); // prettier-ignore
      },
    },
    {
      command: "events <what> [stream]",
      description: "events tail (newest, -f to follow, `events stop` to end) · events show STREAM",
      options: [
        { option: "-n, --count <count>", description: `how many, ${String(TAIL_DEFAULT)} unless said` },
        { option: "-f, --follow", description: "print further events as they come" },
      ],
      action: (_broker, args: Args) => eventsCommand(runtime, following, args, say),
    },
    {
      command: "projection <what> [name]",
      description: "projection status · projection rebuild NAME",
      action: (_broker, args: Args) => projectionCommand(runtime, args, say, table),
    },
    {
      command: "actor <what> [stream]",
      description: "actor list · actor evict STREAM",
      action: (_broker, args: Args) => actorCommand(runtime, args, say, table),
    },
  ];
}

function branchOf(options: Args["options"]): { branch_id?: string } {
  const { branch } = options;
  return typeof branch === "string" ? { branch_id: branch } : {};
}

async function eventsCommand(
  { log }: Runtime,
  following: EventFollower,
  args: Args,
  say: Say,
): Promise<void> {
  const { what, stream, options } = args;
  if (what === "show" && typeof stream === "string") {
    const events = await log.readStream(stream);
    for (const event of events) say(eventLine(event, true));
    if (events.length === 0) say(`No stream ${stream}.`);
    return;
  }
  if (what === "stop") return following.stop();
  if (what !== "tail") return say("events tail [-n COUNT] [-f] · events stop · events show STREAM");
  const count = Math.min(TAIL_MAX, Math.max(1, Number(options["count"] ?? TAIL_DEFAULT) || TAIL_DEFAULT));
  const head = await log.head();
  const events = await log.readAll(Math.max(0, head - count), count);
  for (const event of events) say(eventLine(event, false));
  if (options["follow"] === true) await following.start(events.at(-1)?.position ?? head);
}

/** Prints the log as it grows, until it is stopped. */
class EventFollower {
  #stop: (() => Promise<void>) | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly say: Say,
  ) {}

  async start(after: Position): Promise<void> {
    await this.stop();
    const handle = this.runtime.feed.subscribe({
      name: "repl:events",
      after,
      onBatch: (events) => {
        for (const event of events) this.say(eventLine(event, false));
        return Promise.resolve();
      },
    });
    this.#stop = () => handle.stop();
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    this.#stop = undefined;
  }
}

function eventLine(
  { position, recorded_at, stream_id, version, type, data }: RecordedEvent,
  whole: boolean,
): string {
  const head = `${String(position).padStart(9)}  ${recorded_at}  ${type.padEnd(24)} ${stream_id}@${String(version)}`;
  return whole ? `${head}\n${JSON.stringify(data, null, 2)}` : head;
}

async function projectionCommand(
  { log }: Runtime,
  { what, name }: Args,
  say: Say,
  table: Say,
): Promise<void> {
  if (what === "status") return table(await projectionStatus(log));
  if (what !== "rebuild" || typeof name !== "string")
    return say("projection status · projection rebuild NAME");
  const rebuild = consumersOf(log).get(name)?.rebuild;
  if (rebuild === undefined) return say(`No projection ${name} on this node; see: projection status`);
  const started_ms = performance.now();
  let shown_ms = 0;
  await rebuild(({ events, head, events_per_s, seconds_left }) => {
    if (performance.now() - shown_ms < 500) return;
    shown_ms = performance.now();
    say(
      `  ${String(events)} of ${String(head)} events, ${events_per_s.toFixed(0)}/s, ${seconds_left.toFixed(1)} s left`,
    );
  });
  say(`${name} is rebuilt and swapped in after ${((performance.now() - started_ms) / 1000).toFixed(1)} s.`);
}

async function actorCommand({ log }: Runtime, { what, stream }: Args, say: Say, table: Say): Promise<void> {
  const hosts = actorHostsOf(log);
  if (what === "list")
    return table(hosts.flatMap(({ kind, list }) => list().map((actor) => ({ kind, ...actor }))));
  if (what !== "evict" || typeof stream !== "string") return say("actor list · actor evict STREAM");
  for (const host of hosts)
    if (await host.evict(stream))
      return say(`${host.kind}<${stream}> is passivated; its next command wakes it.`);
  say(`No actor ${stream} lives on this node; see: actor list`);
}
