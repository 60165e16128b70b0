import { ERASED_EVENT } from "../../mixins/erasure/erased-event";
import { command, type ProcessManager } from "../../mixins/process/process";
import type { CustomerErased } from "../customer/customer.events";
import { forgetViewer } from "./views.contract";

/** What somebody has viewed goes with them. Behind the erasure, because all views there are have to be read for it. */
export const forgetErasedViewers: ProcessManager = {
  name: "customer-erased-views",
  handles: [ERASED_EVENT],
  react({ data }) {
    const { user_id } = data as CustomerErased["data"];
    return user_id === null ? [] : [command(forgetViewer, { user_id })];
  },
};
