import { command, type ProcessManager } from "../../mixins/process/process";
import { releaseSlot } from "../slot/slot.contract";
import type { OrderCancelled } from "./order.events";

/**
 * A cancelled order gives its slot back. The kitchen-day knows what the order holds, so it is released once, however often
 * the event comes.
 */
export const releaseOnCancel: ProcessManager = {
  name: "order-cancelled-slot-release",
  handles: ["order.cancelled"],
  react({ data }) {
    const { order_id, branch_id, business_date } = data as OrderCancelled["data"];
    return [command(releaseSlot, { order_id, branch_id, business_date })];
  },
};
