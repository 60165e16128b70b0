-- One row a publication, beaten about every second while there is a replica. Each publication carries its own row and no
-- other, after everything that was committed before the beat: what a subscriber shows here is how far it has come.
create table replica_heartbeats (
  publication text not null,
  -- By this server's clock.
  beaten_at timestamptz not null,
  -- Head of the log at the beat: whoever has this row has every row change up to there.
  position bigint not null,
  constraint replica_heartbeats_pkey primary key (publication)
) with (fillfactor = 10); -- a few rows, rewritten all the time: leave room to do that within their page
