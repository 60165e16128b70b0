-- The newest folded state of a stream: spares an actor the reading of a long stream. May be deleted at any time.
create table es.snapshot (
  stream_id text collate "C" primary key,
  version integer not null,
  -- Of the shape of `state`; a snapshot in another shape than the reader's counts as absent.
  schema_v integer not null,
  state json not null,
  saved_at timestamptz not null default now()
);
