import type { Role } from "../../../mixins/contract/caller";
import { allows } from "../../../mixins/contract/permissions";
import { RefusedError, refusalOf, refuse } from "../../../mixins/contract/refusal";
import {
  cancelMyOrder,
  cancelOrder,
  cancelTrackedOrder,
  getMyOrder,
  getOrder,
  placeOrder,
  placeOrderAtDesk,
  trackOrder,
} from "../../order/order.contract";
import type { OrderView } from "../../order/order.view";
import { freeSlots, listSlots } from "../../slot/slot.contract";
import type { GrpcCall, Method } from "./grpc-call";
import type {
  CancelOrderRequest,
  CancelOrderResponse,
  CreateOrderRequest,
  CreateOrderResponse,
  GetOrderRequest,
  GetOrderResponse,
  ListSlotsRequest,
  ListSlotsResponse,
} from "./order-messages";
import {
  fromTimestamp,
  placementOf,
  setOnly,
  toCreateOrderResponse,
  toOrder,
  toSlot,
  toStatus,
  toTimestamp,
} from "./order-mapping";

export interface OrderMethods {
  readonly createOrder: Method<CreateOrderRequest, CreateOrderResponse>;
  readonly getOrder: Method<GetOrderRequest, GetOrderResponse>;
  readonly cancelOrder: Method<CancelOrderRequest, CancelOrderResponse>;
  readonly listSlots: Method<ListSlotsRequest, ListSlotsResponse>;
}

/** The unary methods: each chooses the action for its caller, and translates. */
export function orderMethods(): OrderMethods {
  return {
    async createOrder(call, request) {
      const isDesk = allows("order.place_for_others", call.caller.role);
      const params = placementOf(request);
      const { result, replayed } = isDesk
        ? await call.act(placeOrderAtDesk, { ...params, channel: "grpc" })
        : await call.act(placeOrder, params);
      return { answer: toCreateOrderResponse(result), replayed };
    },
    async getOrder(call, request) {
      return { answer: { order: toOrder((await readOrder(call, request)).order) } };
    },
    async cancelOrder(call, request) {
      const { result, replayed } = await cancel(call, request);
      const { order_id, display_id, position } = result;
      const answer = {
        ...{ order_id, display_id, position },
        ...{ status: toStatus(result.status), at: toTimestamp(result.at) },
      };
      return { answer, replayed };
    },
    async listSlots(call, request) {
      const { branch_id, after_position: after } = request;
      const from = fromTimestamp("from", request.from);
      const to = fromTimestamp("to", request.to);
      const page = allows("slot.read", call.caller.role)
        ? await call.act(listSlots, setOnly({ branch_id, from, to, after }))
        : await call.act(freeSlots, setOnly({ branch_id, from, after }));
      return { answer: { slots: page.result.items.map((slot) => toSlot(slot)) } };
    },
  };
}

/** An order, and with whose eyes the caller is shown it. */
export interface SeenOrder {
  readonly order: OrderView;
  readonly as: Role;
}

/**
 * One order as what the caller brings entitles them to see it: by its tracking token as the public does, whoever they are; by
 * its id as staff of its branch, or as the one who ordered, staff of elsewhere among them.
 */
export async function readOrder(call: GrpcCall, request: GetOrderRequest): Promise<SeenOrder> {
  const after = setOnly({ after: request.after_position });
  if (request.track_token !== undefined) {
    const { result } = await call.act(trackOrder, { token: request.track_token, ...after });
    return { order: result, as: "guest" };
  }
  const params = { order_id: wanted(request), ...after };
  const { role } = call.caller;
  try {
    if (allows("order.read", role)) return { order: (await call.act(getOrder, params)).result, as: role };
  } catch (error) {
    if (refusalOf(error)?.code !== "order.not_yours") throw error;
  }
  return { order: (await call.act(getMyOrder, params)).result, as: "customer" };
}

async function cancel(call: GrpcCall, request: CancelOrderRequest) {
  const reason = setOnly({ reason: request.reason });
  if (request.track_token !== undefined)
    return call.act(cancelTrackedOrder, { token: request.track_token, ...reason });
  const order_id = wanted(request);
  const { role } = call.caller;
  if (role === "customer" || role === "guest") return call.act(cancelMyOrder, { order_id, ...reason });
  // Staff must say why; the contract says so where they did not.
  return call.act(cancelOrder, { order_id, ...reason } as { order_id: string; reason: string });
}

function wanted({ order_id }: { readonly order_id?: string }): string {
  if (order_id !== undefined) return order_id;
  throw new RefusedError(
    refuse("invalid", "input.invalid", "The request does not fit its contract; see errors.", {
      errors: [{ path: "/order_id", message: "order_id or track_token must be set" }],
    }),
  );
}
