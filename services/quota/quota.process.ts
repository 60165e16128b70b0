import { command, type ProcessManager } from "../../mixins/process/process";
import type { OrderCancelled } from "../order/order.events";
import { returnHold } from "./quota.contract";

/** A cancelled order gives back what it had of limited offers. */
export const returnOnCancel: ProcessManager = {
  name: "order-cancelled-quota-return",
  handles: ["order.cancelled"],
  react({ data }) {
    const { holds = [] } = data as OrderCancelled["data"];
    return holds.map(({ quota_id, hold_id }) =>
      command(returnHold, { quota_id, hold_id, reason: "cancelled" }),
    );
  },
};
