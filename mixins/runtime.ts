import type { ServiceBroker } from "moleculer";
import type { Pool } from "pg";
import type { DataSource } from "typeorm";
import type { Settings } from "../settings";
import type { TagCache } from "./cache-tags/tag-cache";
import type { EventFeed } from "./event-feed/event-feed";
import type { EventLog } from "./event-log/event-log";
import type { KafkaLink } from "./kafka/kafka-link";
import type { RedisLink } from "./redis/redis-link";
import type { ReplicaReads } from "./replica/reads";

/**
 * Time and ids come from here, so that tests can hold them. Of a running node the clock is the database's time
 * (`DatabaseClock`), whatever the machine shows.
 */
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
  /** In Redis where there is one, else in this node's memory. */
  readonly cache: TagCache;
  /** Absent without REDIS_URL; there but down at any moment otherwise. */
  readonly redis?: RedisLink;
  /** Absent without KAFKA_BROKERS. The feed uses it already; only the relay needs it besides. */
  readonly kafka?: KafkaLink;
  /** Absent without DATABASE_REPLICA_URL; shop reads ask `readsOf(runtime)`, which works either way. */
  readonly reads?: ReplicaReads;
}
