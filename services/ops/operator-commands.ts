import type { ServiceBroker } from "moleculer";
import { actorHostsOf } from "../../mixins/actor/actor-registry";
import { placementsOf } from "../../mixins/actor/placements";
import { act } from "../../mixins/contract/implement";
import { refusalOf } from "../../mixins/contract/refusal";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import { consumersOf, projectionStatus } from "../../mixins/projection/consumer-registry";
import type { Runtime } from "../../mixins/runtime";
import { fleetNodesOf } from "../../mixins/transport/fleet-nodes";
import { listActiveOrders } from "../order/order.contract";
import { listSlots } from "../slot/slot.contract";
import { cacheCommand } from "./cache-command";
import { feedCommand } from "./feed-command";
import { replicaCommand } from "./replica-command";

const TAIL_DEFAULT = 20;
const TAIL_MAX = 1_000;
const LIST_MAX = 200;
const PROGRESS_EVERY_MS = 500;

/** What a command was called with: `moleculer-repl` puts positional arguments and options into one object. */
interface Args {
  readonly options: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly [name: string]: unknown;
}
type Say = (line: unknown) => void;
/** What a command came to: a line, or rows for a table. */
type Answer = string | readonly object[];

/** A custom command in the form that `moleculer-repl` takes. */
export interface OperatorCommand {
  readonly command: string;
  readonly description: string;
  readonly options?: { option: string; description: string }[];
  readonly action: (broker: unknown, args: never) => Promise<void>;
}

/**
 * The operators' words at the prompt, beside Moleculer's own (`nodes`, `services`, `call`, …). They print what they find, or
 * why they were refused; the prompt shows any other failure's message and goes on.
 */
export function operatorCommands(
  runtime: Runtime,
  say: Say = console.log,
  table: Say = console.table,
): OperatorCommand[] {
  const follower = new EventFollower(runtime, say);
  const answering = (answer: (args: Args) => Promise<Answer>) => async (_broker: unknown, args: Args) => {
    const found = await answer(args).catch(refusalLine);
    (typeof found === "string" ? say : table)(found);
  };
  return [
    {
      command: "orders",
      description: "Active orders",
      options: [{ option: "-b, --branch <branch_id>", description: "of one branch" }],
      action: answering(({ options }) => activeOrders(runtime, options)),
    },
    {
      command: "slots",
      description: "Today's slots with their load",
      options: [
        { option: "-b, --branch <branch_id>", description: "of one branch; the default branch unless said" },
      ],
      action: answering(({ options }) => todaysSlots(runtime, options)),
    },
    {
      command: "events <what> [stream]",
      description: "events tail (newest, -f to follow, `events stop` to end) · events show STREAM",
      options: [
        { option: "-n, --count <count>", description: `how many, ${String(TAIL_DEFAULT)} unless said` },
        { option: "-f, --follow", description: "print further events as they come" },
      ],
      action: answering((args) => eventsCommand(runtime, follower, args)),
    },
    {
      command: "projection <what> [name]",
      description: "projection status · projection rebuild NAME",
      action: answering((args) => projectionCommand(runtime, args, say)),
    },
    {
      command: "actor <what> [stream]",
      description: "actor list · actor where STREAM (nodes that may have it) · actor evict STREAM",
      action: answering((args) => actorCommand(runtime, args)),
    },
    {
      command: "feed <what> [choice]",
      description: "feed status · feed switch log|kafka|auto (on this node)",
      action: answering(({ what, choice }) => feedCommand(runtime, what, choice)),
    },
    {
      command: "cache <what> [tag]",
      description: "cache status · cache tags · cache invalidate TAG",
      action: answering(({ what, tag }) => cacheCommand(runtime, what, tag)),
    },
    {
      command: "replica <what>",
      description: "replica status",
      action: answering(({ what }) => replicaCommand(runtime.reads, what)),
    },
  ];
}

function refusalLine(error: unknown): string {
  const refusal = refusalOf(error);
  if (refusal === undefined) throw error;
  return `${refusal.code}: ${refusal.detail}${refusal.data === undefined ? "" : ` ${JSON.stringify(refusal.data)}`}`;
}

async function activeOrders({ broker }: Runtime, options: Args["options"]): Promise<Answer> {
  const page = await act(broker, listActiveOrders, { limit: LIST_MAX, ...branchOf(options) });
  return page.items.map(({ display_id, status, ready_at, visible_at, total_minor, order_id }) => {
    return { display_id, status, ready_at, visible_at, total_minor, order_id };
  });
}

async function todaysSlots({ broker }: Runtime, options: Args["options"]): Promise<Answer> {
  const page = await act(broker, listSlots, branchOf(options));
  return page.items.map(({ start, end, load_minor, capacity_minor, orders_count, disabled }) => {
    return { start, end, load_minor, capacity_minor, orders_count, disabled };
  });
}

function branchOf({ branch }: Args["options"]): { branch_id?: string } {
  return typeof branch === "string" ? { branch_id: branch } : {};
}

async function eventsCommand({ log }: Runtime, follower: EventFollower, args: Args): Promise<Answer> {
  const { what, stream, options } = args;
  if (what === "show" && typeof stream === "string") {
    const events = await log.readStream(stream);
    return events.length === 0
      ? `No stream ${stream}.`
      : events.map((event) => eventLine(event, true)).join("\n");
  }
  if (what === "stop") {
    await follower.stop();
    return "Following has stopped.";
  }
  if (what !== "tail") return "events tail [-n COUNT] [-f] · events stop · events show STREAM";
  const count = Math.min(TAIL_MAX, Math.max(1, Number(options["count"] ?? TAIL_DEFAULT) || TAIL_DEFAULT));
  const head = await log.head();
  const events = await log.readAll(Math.max(0, head - count), count);
  if (options["follow"] === true) await follower.start(events.at(-1)?.position ?? head);
  return events.map((event) => eventLine(event, false)).join("\n");
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
      wentBack: async () => {
        const head = await this.runtime.log.head();
        this.say(`The log went back: it ends at ${String(head)}, and some of the above is not in it.`);
        return head;
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

async function projectionCommand({ log }: Runtime, { what, name }: Args, say: Say): Promise<Answer> {
  if (what === "status") return projectionStatus(log);
  if (what !== "rebuild" || typeof name !== "string") return "projection status · projection rebuild NAME";
  const projection = consumersOf(log).get(name);
  if (projection?.rebuild === undefined) return `No projection ${name} on this node; see: projection status`;
  const started_ms = performance.now();
  let shown_ms = 0;
  await projection.rebuild(({ events, head, events_per_s, seconds_left }) => {
    if (performance.now() - shown_ms < PROGRESS_EVERY_MS) return;
    shown_ms = performance.now();
    const rate = `${events_per_s.toFixed(0)}/s, ${seconds_left.toFixed(1)} s left`;
    say(`  ${String(events)} of ${String(head)} events, ${rate}`);
  });
  return `${name} is rebuilt and swapped in after ${((performance.now() - started_ms) / 1000).toFixed(1)} s.`;
}

async function actorCommand({ log, broker }: Runtime, { what, stream }: Args): Promise<Answer> {
  const hosts = actorHostsOf(log);
  if (what === "where" && typeof stream === "string") return whereIs(broker, stream);
  if (what === "list")
    return hosts.flatMap((host) => host.list().map((actor) => ({ kind: host.kind, ...actor })));
  if (what !== "evict" || typeof stream !== "string")
    return "actor list · actor where STREAM · actor evict STREAM";
  for (const host of hosts)
    if (await host.evict(stream)) return `${host.kind}<${stream}> is passivated; its next command wakes it.`;
  return `No actor ${stream} lives on this node; see: actor list`;
}

/** The nodes that may have an actor, in the order in which they are asked. */
function whereIs(broker: ServiceBroker, stream: string): Answer {
  const nodes = placementsOf(broker).where(stream);
  if (nodes === undefined) return `${stream} is not placed: the node that is asked decides.`;
  if (nodes.length === 0) return `No node hosts actors like ${stream}.`;
  const fleet = fleetNodesOf(broker);
  return nodes.map((node_id, order) => ({
    order: order + 1,
    node_id,
    here: node_id === fleet.self,
    suspect: fleet.isSuspect(node_id),
  }));
}
