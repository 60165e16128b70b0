-- The event log. Everything else in this database can be rebuilt from it.
create schema es;

-- A lane is one sequence of positions. Whoever appends holds the lane's advisory lock until commit, therefore positions
-- become visible in order and without gaps. Forno runs on lane 0; more lanes multiply the write rate.
create table es.lane (
  lane smallint primary key,
  -- Position of the newest event; 0 while there is none.
  head bigint not null default 0 check (head >= 0)
) with (fillfactor = 10); -- one row, rewritten by every batch: leave room to do that within its page

insert into es.lane (lane) values (0);

-- What the newest batch of each appending process came to. When a connection breaks after a batch was sent, the process
-- sends the batch again under the same number and gets this row instead of a second write.
create table es.appender (
  appender uuid primary key,
  batch bigint not null,
  head_before bigint not null,
  recorded_at timestamptz not null,
  -- Ordinals of the streams that were not at their expected version, and of the units that were answered before.
  conflicts integer[] not null,
  duplicates integer[] not null
) with (fillfactor = 10);
