import { isSwitchable, type EventFeed, type FeedChoice } from "../../mixins/event-feed/event-feed";
import type { EventLog } from "../../mixins/event-log/event-log";

const CHOICES: readonly string[] = ["log", "kafka", "auto"] satisfies FeedChoice[];
const USAGE = "feed status · feed switch log|kafka|auto";

/** What `feed …` prints. A switch is this node's alone, until it is started again. */
export async function feedCommand(
  { feed, log }: { readonly feed: EventFeed; readonly log: Pick<EventLog, "head"> },
  what: unknown,
  choice: unknown,
): Promise<string | readonly object[]> {
  if (what !== "status" && what !== "switch") return USAGE;
  if (!isSwitchable(feed)) return "Events come from the log: KAFKA_BROKERS is not set.";
  if (what === "switch") {
    if (typeof choice !== "string" || !CHOICES.includes(choice)) return USAGE;
    feed.switchTo(choice as FeedChoice);
  }
  const head = await log.head();
  const { source, choice: chosen, reason, joined, position, kafka_position, switches } = feed.status();
  const lags = { lag: lag(head, position), kafka_lag: lag(head, kafka_position) };
  return [{ source, choice: chosen, reason: reason ?? "", joined, position, ...lags, switches }];
}

function lag(head: number, position: number | undefined): number | string {
  return position === undefined ? "" : Math.max(0, head - position);
}
