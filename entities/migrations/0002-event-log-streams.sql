-- Where each stream stands. `version` is what an append is checked against; the positions narrow a stream's reading to the
-- partitions of es.event that hold it.
create table es.stream (
  stream_id text collate "C" primary key,
  -- No foreign key: it would lock the lane's one row for each new stream, half of the cost of an append.
  lane smallint not null,
  type text collate "C" not null,
  version integer not null check (version > 0),
  first_pos bigint not null,
  last_pos bigint not null
) with (fillfactor = 80); -- most streams get further events: their update stays within the page and touches no index
