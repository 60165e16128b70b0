import * as orders from "../../../services/order/order.events";
import { replaceExport } from "../replace";

replaceExport(
  orders,
  "listTotalOf",
  () => (items) =>
    (items as readonly orders.OrderLine[]).reduce((sum, { line_total_minor }) => sum + line_total_minor, 0),
);
