-- How far each consumer has come. Moved in the transaction that applies the events; `partition` is -1 where a consumer
-- takes all partitions together.
create table es.checkpoint (
  name text collate "C" not null,
  partition smallint not null default -1 check (partition between -1 and 15),
  pos bigint not null default 0 check (pos >= 0),
  updated_at timestamptz not null default now(),
  primary key (name, partition)
) with (fillfactor = 50);
