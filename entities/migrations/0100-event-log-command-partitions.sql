-- Answers go when nobody may ask for them again, a whole partition at once. A partition lasts as long as answers are kept
-- (es.ensure_command_partitions), so there are three at most besides the next one, and a look-up is as many descents of an index.
-- No index can hold cmd_id unique over partitions; es.append does, under the lane's lock.
alter table es.command rename to command_first;
alter table es.command_first drop constraint command_pkey;

create table es.command (
  cmd_id uuid not null,
  pos bigint not null,
  answered_at timestamptz not null,
  fingerprint text collate "C" not null,
  answer json not null
) partition by range (answered_at);
create index command_cmd_id_idx on es.command (cmd_id);

create table es.command_partition (
  table_name text primary key,
  from_at timestamptz not null,
  until_at timestamptz not null
);

-- What there is so far: one partition, up to the next midnight.
do $$
declare
  until_at constant timestamptz := (date_trunc('day', now() at time zone 'UTC') + interval '1 day') at time zone 'UTC';
begin
  execute format('alter table es.command attach partition es.command_first for values from (minvalue) to (%L)', until_at);
  insert into es.command_partition values ('command_first', '-infinity', until_at);
end
$$;
