-- Makes the partitions of these days where they are missing. Attaching takes a lock that reads and writes do not wait for;
-- "create table ... partition of" would stop both.
create function ensure_camera_event_partitions(p_days date[]) returns void
language plpgsql
as $$
declare
  day date;
  part text;
begin
  foreach day in array p_days loop
    part := 'camera_events_' || to_char(day, 'YYYY_MM_DD');
    continue when camera_event_partition_exists(part);
    perform pg_advisory_xact_lock(7463, 1); -- nodes take turns
    continue when camera_event_partition_exists(part);
    execute format('create table %I (like camera_events including defaults including constraints)', part);
    execute format('alter table camera_events attach partition %I for values from (%L) to (%L)',
      part, day || ' 00:00+00', (day + 1) || ' 00:00+00');
  end loop;
end
$$;

-- A query, and not to_regclass(): that may remember from before the lock that there was none.
create function camera_event_partition_exists(p_part text) returns boolean
language sql volatile
as $$
  select exists (
    select from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'camera_events'::regclass and c.relname = p_part
  )
$$;

-- Drops what arrived before a day, whole days at once; answers the days.
create function drop_camera_events(p_before date) returns setof text
language plpgsql
as $$
declare
  day text;
begin
  -- Dropping stops reads and writes of the parent for a moment; rather another time than a long wait.
  perform set_config('lock_timeout', '3s', true);
  for day in
    select right(c.relname, 10) from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'camera_events'::regclass and right(c.relname, 10) < to_char(p_before, 'YYYY_MM_DD')
    order by 1
  loop
    execute format('drop table %I', 'camera_events_' || day);
    return next day;
  end loop;
  delete from camera_event_requests where received_at < p_before at time zone 'UTC';
end
$$;
