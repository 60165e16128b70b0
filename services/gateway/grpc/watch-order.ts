import type { ServerWritableStream } from "@grpc/grpc-js";
import { Metadata } from "@grpc/grpc-js";
import type { Role } from "../../../mixins/contract/caller";
import { orThrow, refuse, RefusedError, UnavailableError } from "../../../mixins/contract/refusal";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { orderStream, type OrderEvent, type OrderStatus } from "../../order/order.events";
import { eventViewFor } from "../../order/order.view";
import type { Places } from "../places";
import { addressOfCall, openCall, report, textOf, type GrpcCall, type GrpcContext } from "./grpc-call";
import type { Bell, OrderBells } from "./order-bells";
import { setOnly, toOrder, toStatus, toTimestamp } from "./order-mapping";
import type { WatchOrderRequest, WatchOrderResponse } from "./order-messages";
import { readOrder } from "./order-methods";

/** How often an idle stream's token is verified again. */
const REVIEW_MS = 10_000;
/** Nothing that is worth a watch comes after these. */
const CLOSED: readonly OrderStatus[] = ["delivered", "cancelled", "archived"];

type WatchCall = ServerWritableStream<WatchOrderRequest, WatchOrderResponse>;

const TOO_MANY = refuse("rate_limited", "watch.too_many", "Too many watches; end some first.");

/** What watches need beside what all calls do. */
interface Watching {
  readonly bells: OrderBells;
  readonly places: Places;
}

/** The server stream of one order: its events so far, then as they come, until it is closed. */
export function watchOrder(context: GrpcContext, watching: Watching) {
  return (call: WatchCall): void => {
    const request_id = context.runtime.ids.uuid();
    seated(context, watching, call, request_id).then(
      () => call.end(),
      (error: unknown) => {
        if (!call.cancelled) call.emit("error", report(context, call.getPath(), error, request_id).answer);
      },
    );
  };
}

/** Its place is taken before anything is waited for that takes long, and given back whatever comes. */
async function seated(
  context: GrpcContext,
  { bells, places }: Watching,
  call: WatchCall,
  request_id: string,
): Promise<void> {
  // Made to go, it is not seated: nothing has been answered yet.
  const place = places.enter(addressOfCall(context, call), () => undefined);
  try {
    const opened = await openCall(context, call, request_id);
    if (!place.seat(opened.caller)) throw new RefusedError(TOO_MANY);
    await watch(context, bells, call, opened);
  } finally {
    place.leave();
  }
}

async function watch(
  context: GrpcContext,
  bells: OrderBells,
  call: WatchCall,
  opened: GrpcCall,
): Promise<void> {
  const { order, as } = await readOrder(opened, call.request);
  if (call.cancelled) return;
  const headers = new Metadata();
  headers.set("request-id", opened.request_id);
  call.sendMetadata(headers);

  const stream_id = orderStream(order.order_id);
  const story = new OrderStory(as, call.request.after_position ?? 0);
  const bell = bells.on(stream_id);
  const ring = (): void => bell.ring();
  call.once("cancelled", ring);
  try {
    await tell(context, call, bell, bells, story, stream_id);
  } finally {
    call.off("cancelled", ring);
    bell.remove();
  }
}

async function tell(
  context: GrpcContext,
  call: WatchCall,
  bell: Bell,
  bells: OrderBells,
  story: OrderStory,
  stream_id: string,
): Promise<void> {
  const isCancelled = (): boolean => call.cancelled;
  while (!isCancelled()) {
    bell.silence();
    for (const event of await context.runtime.log.readStream(stream_id, story.version)) {
      const update = story.next(event);
      if (update !== undefined && !call.write(update)) await drained(call);
      if (isCancelled()) return;
    }
    if (story.isOver) return;
    if (bells.stopped)
      throw new UnavailableError("server.stopping", "The server is stopping; resume elsewhere.");
    await bell.heard(REVIEW_MS);
    await review(context, call);
  }
}

/** @throws RefusedError when the caller's token has expired or was revoked meanwhile. */
async function review({ verifier }: GrpcContext, call: WatchCall): Promise<void> {
  const token = textOf(call.metadata, "authorization")?.replace(/^Bearer +/i, "");
  if (token !== undefined) orThrow(await verifier.verify(token.trim()));
}

/** A client that does not read costs one event in memory: the stream in the log is its queue. */
async function drained(call: WatchCall): Promise<void> {
  if (call.cancelled) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      call.off("drain", done);
      call.off("cancelled", done);
      resolve();
    };
    call.once("drain", done);
    call.once("cancelled", done);
  });
}

/** An order's stream, event by event, as updates for one role. */
export class OrderStory {
  #status: OrderStatus = "pending";
  #version = 0;

  constructor(
    private readonly role: Role,
    private readonly after: number,
  ) {}

  /** Version of the last event seen. */
  get version(): number {
    return this.#version;
  }

  get isOver(): boolean {
    return CLOSED.includes(this.#status);
  }

  /** The update that an event makes; undefined when it lies before the start, or is none of the role's business. */
  next({ type, data, position, version, recorded_at }: RecordedEvent): WatchOrderResponse | undefined {
    const event = { type, data } as OrderEvent;
    this.#version = version;
    this.#status = eventViewFor("system", event)?.status ?? this.#status;
    const view = position > this.after ? eventViewFor(this.role, event) : null;
    if (view === null) return undefined;
    return {
      ...{ position, type, at: toTimestamp(recorded_at), status: toStatus(this.#status) },
      ...("items" in view
        ? { order: toOrder(view) }
        : setOnly({ reason: view.reason, refunded_total_minor: view.refunded_total_minor })),
    };
  }
}
