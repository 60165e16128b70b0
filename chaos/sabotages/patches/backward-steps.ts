import { orderDecider } from "../../../services/order/order.decider";
import { replaceMethod } from "../replace";

replaceMethod(orderDecider, "decide", (original) => (command, state, given) => {
  const decision = original(command, state, given);
  if (!("events" in decision)) return decision;
  const back = decision.events.flatMap((event) =>
    event.type === "order.status_changed" && event.data.to === "ready"
      ? [{ ...event, data: { ...event.data, from: "ready" as const, to: "cooking" as const } }]
      : [],
  );
  return { ...decision, events: [...decision.events, ...back] };
});
