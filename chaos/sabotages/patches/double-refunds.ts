import { orderDecider } from "../../../services/order/order.decider";
import { replaceMethod } from "../replace";

replaceMethod(orderDecider, "decide", (original) => (command, state, given) => {
  const decision = original(command, state, given);
  if (command.type !== "order.refund" || !("events" in decision)) return decision;
  return { ...decision, events: [...decision.events, ...decision.events] };
});
