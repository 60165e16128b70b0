import { told, type Fulfilment, type LogEvent } from "../model/events";
import type { Evidence, Violation } from "./evidence";

const ROAD: Readonly<Record<Fulfilment, readonly string[]>> = {
  pickup: ["pending", "preparing", "cooking", "ready", "delivered"],
  delivery: ["pending", "preparing", "cooking", "ready", "delivery", "delivered"],
};
/** From `delivery` on nobody cancels. */
const CANCELLABLE: ReadonlySet<string> = new Set(["pending", "preparing", "cooking", "ready"]);

interface Course {
  readonly fulfilment: Fulfilment;
  readonly total_minor: number;
  status: string;
  refunded_minor: number;
  processed: boolean;
}

/**
 * An order takes each step of its road, one after the other and never back; it is cancelled before it is on its way or not at
 * all, and nothing but refunds happens to it afterwards; refunds add up and never to more than was paid.
 */
export function lifecycle({ events }: Pick<Evidence, "events">): Violation[] {
  const courses = new Map<string, Course>();
  return events.flatMap((event) => {
    if (!event.type.startsWith("order.")) return [];
    const { order_id } = event.data as { order_id: string };
    return wrongIn(event, courses, order_id).map(([promise, what]) => ({
      promise,
      detail: `${order_id} ${what}, at position ${event.position}`,
    }));
  });
}

type Wrong = readonly [promise: string, what: string];

function wrongIn(event: LogEvent, courses: Map<string, Course>, order_id: string): Wrong[] {
  const { type, data } = told(event);
  const course = courses.get(order_id);
  if (type === "order.placed") {
    const { fulfilment, total_minor } = data;
    courses.set(order_id, {
      ...{ fulfilment, total_minor, status: "pending", refunded_minor: 0, processed: false },
    });
    return course === undefined ? [] : [["order.placed_twice", "is placed again"]];
  }
  if (course === undefined) return [["order.never_placed", `has ${type} and was never placed`]];
  switch (type) {
    case "order.status_changed":
      return stepped(course, data.from, data.to);
    case "order.cancelled": {
      const before = course.status;
      course.status = "cancelled";
      if (data.from === before && CANCELLABLE.has(before)) return [];
      return [["order.illegal_step", `is cancelled from ${data.from}, it is ${before}`]];
    }
    case "order.refunded": {
      const { amount_minor, refunded_total_minor } = data;
      course.refunded_minor += amount_minor;
      const { refunded_minor, total_minor } = course;
      return [
        ...(refunded_minor > total_minor || amount_minor <= 0
          ? [["order.refunded_too_much", `got back ${refunded_minor} of ${total_minor}`] as const]
          : []),
        ...(refunded_minor === refunded_total_minor
          ? []
          : [
              [
                "order.refund_sum",
                `is said to have got back ${refunded_total_minor}, it got ${refunded_minor}`,
              ] as const,
            ]),
      ];
    }
    case "order.processed": {
      const again = course.processed;
      course.processed = true;
      return again ? [["order.processed_twice", "is processed again"]] : [];
    }
    default:
      return [];
  }
}

function stepped(course: Course, from: string, to: string): Wrong[] {
  const road = ROAD[course.fulfilment];
  const before = course.status;
  const at = road.indexOf(before);
  course.status = to;
  if (from === before && at >= 0 && road[at + 1] === to) return [];
  return [["order.illegal_step", `goes from ${from} to ${to}, it is ${before}`]];
}
