import { LogFeed } from "../mixins/event-feed/log-feed";
import { createEventLog } from "../mixins/event-log/postgres-event-log";
import type { RebuildProgress } from "../mixins/projection/projection";
import { startProjection } from "../mixins/projection/start-projection";
import { orderProjection } from "../services/order/order.projection";
import { openOrderHistory } from "./order-history";

export interface RebuildFigures {
  readonly events: number;
  readonly seconds: number;
  readonly events_per_s: number;
  /** Of the first and the last fifth: whether it grows slower as the tables grow. */
  readonly first_fifth_per_s: number;
  readonly last_fifth_per_s: number;
  /** On paper, at the rate of the last fifth from there on. */
  readonly minutes_for_ten_million: number;
  /** Of this process; the rest of the time is the database's. */
  readonly cpu_us_per_event: number;
}

const TEN_MILLION = 10_000_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error };

/** The real rebuild of the orders' read model, from a log of so many events, in an empty database with today's schema. */
export async function benchRebuild(url: string, events: number): Promise<RebuildFigures> {
  const { connection, db, pool, head } = await openOrderHistory(url, events);
  await pool.query("insert into es.checkpoint (name, pos) values ($1, $2)", [orderProjection.name, head]);
  const log = await createEventLog({ connection });
  const feed = new LogFeed({ log, logger: quiet });
  const host = await startProjection({ pool, log, feed, logger: quiet }, orderProjection);
  try {
    const seen: { events: number; at_s: number }[] = [{ events: 0, at_s: 0 }];
    const begun = performance.now();
    const cpu = process.cpuUsage();
    await host.rebuild((state: RebuildProgress) => {
      seen.push({ events: state.events, at_s: (performance.now() - begun) / 1000 });
    });
    const seconds = (performance.now() - begun) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return figures(head, seconds, (user + system) / head, seen);
  } finally {
    await host.stop();
    await log.close();
    await db.destroy();
  }
}

function figures(
  events: number,
  seconds: number,
  cpu_us_per_event: number,
  seen: readonly { readonly events: number; readonly at_s: number }[],
): RebuildFigures {
  const rate = (from: number, to: number): number => {
    const [a, b] = [from, to].map((share) => seen.find((each) => each.events >= share * events * 0.99));
    return a === undefined || b === undefined ? Number.NaN : (b.events - a.events) / (b.at_s - a.at_s);
  };
  const last_fifth_per_s = rate(0.8, 1);
  return {
    events,
    seconds,
    events_per_s: events / seconds,
    first_fifth_per_s: rate(0, 0.2),
    last_fifth_per_s,
    minutes_for_ten_million: (seconds + (TEN_MILLION - events) / last_fifth_per_s) / 60,
    cpu_us_per_event,
  };
}
