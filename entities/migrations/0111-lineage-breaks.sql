-- Each time that a node found the log to lack events which it had read: the log went back. Kept for operators, for clients that ask
-- to go on from a position which may have been taken back, and as a part of the log's name.
create table es.lineage_break (
  break_id uuid primary key default gen_random_uuid(),
  found_at timestamptz not null default clock_timestamp(),
  -- The newest event that is known to be in both histories, and the newest that was seen of the lost one.
  lost_after bigint not null check (lost_after >= 0),
  lost_to bigint not null,
  -- Head of the log when this was found: positions up to here were given anew by then.
  head bigint not null,
  timeline_before text not null,
  timeline_after text not null,
  constraint lineage_break_range check (lost_to > lost_after)
);
