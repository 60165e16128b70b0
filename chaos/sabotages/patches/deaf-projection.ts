import { orderProjection } from "../../../services/order/order.projection";

const { handles } = orderProjection;
Object.assign(orderProjection, { handles: handles.filter((type) => type !== "order.refunded") });
