import type { Caller } from "../../../mixins/contract/caller";
import {
  defineSubscription,
  type FieldKind,
  type SubscriptionDefinition,
} from "../../../mixins/messaging/subscription";
import { CAMERA_EVENTS_CHANNEL, type CameraEvent } from "../../camera/camera.events";

/**
 * Branches whose cameras a caller may watch; whoever works everywhere watches all. A complex has no rights of its own: one
 * sees of it what its cameras at one's own branches see, so that nobody has to keep a second list of who may see what.
 */
function watchedBranches({ role, branch_ids }: Caller): readonly string[] | "all" {
  if (role === "super_admin" || role === "system") return "all";
  return branch_ids ?? [];
}

const cameraEvents = defineSubscription({
  entity: "CameraEvents",
  channels: [CAMERA_EVENTS_CHANNEL],
  fields: {
    event_id: "uuid",
    event_type: "text",
    camera_id: "uuid",
    mac_address: "mac",
    model: "text",
    branch_id: "uuid",
    complex_id: "text",
    timestamp: "time",
    data: "json",
  } satisfies Record<keyof CameraEvent, FieldKind>,
  filters: {
    camera_id: ["eq", "in"],
    mac_address: ["eq", "in"],
    complex_id: ["eq", "in"],
    branch_id: ["eq", "in"],
    event_type: ["eq", "in", "icontains"],
    model: ["eq", "in", "icontains"],
    timestamp: ["gte", "lte"],
  },
  guard: { field: "branch_id", allowed: watchedBranches },
});

/** Everything that can be subscribed to: the one table. */
export const SUBSCRIPTIONS: readonly SubscriptionDefinition[] = [cameraEvents];
