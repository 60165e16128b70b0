import type { ServiceBroker } from "moleculer";
import type { Pool } from "pg";
import type { DataSource } from "typeorm";
import type { Settings } from "../settings";
import type { EventFeed } from "./event-feed/event-feed";
import type { EventLog } from "./event-log/event-log";
import type { RedisLink } from "./redis/redis-link";

/** Time and ids come from here, so that tests can hold them. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface Ids {
  /** UUIDv7. */
  uuid(): string;
  /** Unguessable, URL-safe, 128 bits. */
  token(): string;
}

/**
 * The live objects of one node. Handed to every service factory (`createOrderService(runtime)`) and kept in closures:
 * Moleculer clones schemas deeply, so nothing alive may sit in one.
 */
export interface Runtime {
  readonly settings: Settings;
  readonly broker: ServiceBroker;
  readonly log: EventLog;
  readonly feed: EventFeed;
  /** For TypeORM entities; shares the database with `pool`. */
  readonly db: DataSource;
  /** For hand-written SQL. */
  readonly pool: Pool;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Absent without REDIS_URL; there but down at any moment otherwise. */
  readonly redis?: RedisLink;
}
