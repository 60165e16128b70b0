-- What cameras reported, kept for some days and partitioned by the day (UTC) of their arrival. Not in the log: there may be
-- thousands a second, and no decision hangs on them.
create table camera_events (
  -- UUIDv7 of the arrival: sorts by it.
  event_id uuid not null,
  received_at timestamptz not null,
  event_type text not null,
  camera_id uuid not null,
  mac_address text not null,
  model text not null,
  branch_id uuid not null,
  complex_id text,
  -- By the camera's clock.
  occurred_at timestamptz not null,
  data json not null,
  constraint camera_events_pkey primary key (event_id, received_at)
) partition by range (received_at);

create index camera_events_by_camera on camera_events (camera_id, event_id);
create index camera_events_by_branch on camera_events (branch_id, event_id);

-- Answers to requests that carried an Idempotency-Key, kept as long as their events.
create table camera_event_requests (
  command_id uuid not null,
  fingerprint text not null,
  answer json not null,
  received_at timestamptz not null,
  constraint camera_event_requests_pkey primary key (command_id)
);

create index camera_event_requests_by_time on camera_event_requests using brin (received_at);
