-- Segments of the log that are in no file, and whose partition is not attached.
create function es.missing_segments() returns setof es.segment
language sql stable
as $$
  select s.* from es.segment s
  where s.archived_at is null and not exists (
    select from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'es.event'::regclass and c.relname = s.table_name
  )
  order by s.first_pos
$$;

-- Makes partitions of es.event, p_size positions each, until they reach p_until; answers how far they reach then. One from head
-- on that somebody has taken away comes back: detached, with what it holds; dropped before it held anything, empty. Where it held
-- events and is gone (FO001), nothing may be written behind the hole. Attaching takes a lock that appends and reads do not
-- wait for; "create table ... partition of" would stop both.
create or replace function es.ensure_partitions(p_size bigint, p_until bigint) returns bigint
language plpgsql
as $$
declare
  covered bigint;
  part text;
  missing es.segment;
begin
  perform pg_advisory_xact_lock(7462, 0); -- nodes take turns
  for missing in select * from es.missing_segments() s where s.last_pos > (select max(head) from es.lane) loop
    if to_regclass(format('es.%I', missing.table_name)) is null then
      if missing.first_pos <= (select max(head) from es.lane) then
        raise 'the event log has lost positions % to %', missing.first_pos, (select max(head) from es.lane)
          using errcode = 'FO001', hint = 'Restore es.' || missing.table_name || ' from a backup.';
      end if;
      execute format('create table es.%I (like es.event including defaults including constraints)', missing.table_name);
    end if;
    execute format('alter table es.event attach partition es.%I for values from (%s) to (%s)',
      missing.table_name, missing.first_pos, missing.last_pos + 1);
  end loop;
  select coalesce(max(last_pos), 0) into covered from es.segment;
  while covered < p_until loop
    part := 'event_' || lpad((covered + 1)::text, 16, '0');
    execute format('create table es.%I (like es.event including defaults including constraints)', part);
    execute format('alter table es.event attach partition es.%I for values from (%s) to (%s)',
      part, covered + 1, covered + 1 + p_size);
    insert into es.segment (first_pos, last_pos, table_name) values (covered + 1, covered + p_size, part);
    covered := covered + p_size;
  end loop;
  return covered;
end
$$;
