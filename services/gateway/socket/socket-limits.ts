/** Bounds of the sockets of one node; every queue has one. */
export interface SocketLimits {
  /** Messages waiting to be written to one client. */
  readonly waiting_messages_max: number;
  /**
   * Bytes waiting to be written to one client who hears of the log: some hundred orders, about what a stalled tablet misses in
   * a rush hour. Clients of one role share these bytes, so what costs is the count of messages.
   */
  readonly waiting_bytes_max: number;
  /** The same for a subscriber, whose frames carry an id of its own choice: nobody need share them. */
  readonly subscriber_waiting_bytes_max: number;
  /** One frame from a client; the longest that a client has to say is a token. */
  readonly frame_bytes_max: number;
  /** Frames a client may send at once, and how many more each second. */
  readonly frames_burst: number;
  readonly frames_per_s: number;
  /** Orders that one client may track. */
  readonly tracked_max: number;
  /** Subscriptions that one client may have open, */
  readonly subscriptions_max: number;
  /** and values in all of their filters together: each is an entry of an index. */
  readonly filter_values_max: number;
  /** How far back a client may resume, in events of the log; beyond it a reload by REST is cheaper for both. */
  readonly resume_events_max: number;
  /** Messages kept in memory for clients that come back soon: a node's restart or a lost Wi-Fi costs no query. */
  readonly backlog_messages: number;
  /** Clients in the shop that may read the log at the same time to catch up, and as many at work; further ones wait. */
  readonly catching_up_max: number;
  /** From the connection to a valid token. */
  readonly auth_ms_max: number;
  readonly ping_interval_ms: number;
  /** From a ping to its pong; also how long a client that is being closed may take to read what is on its way. */
  readonly pong_ms_max: number;
  /** How often tokens and time limits are looked at; a token that was verified before costs under a microsecond. */
  readonly review_ms: number;
}

export const SOCKET_LIMITS: SocketLimits = {
  waiting_messages_max: 4096,
  waiting_bytes_max: 4 * 1024 * 1024,
  subscriber_waiting_bytes_max: 512 * 1024,
  frame_bytes_max: 16 * 1024,
  frames_burst: 20,
  frames_per_s: 5,
  tracked_max: 20,
  subscriptions_max: 16,
  filter_values_max: 1_000,
  resume_events_max: 10_000,
  backlog_messages: 1024,
  catching_up_max: 4,
  auth_ms_max: 5_000,
  ping_interval_ms: 25_000,
  pong_ms_max: 20_000,
  review_ms: 1_000,
};
