import * as view from "../../../services/order/order.view";
import { replaceExport } from "../replace";

replaceExport(
  view,
  "newsViewFor",
  (original) => (role, event) => original(role === "cook" ? "manager" : role, event),
);
