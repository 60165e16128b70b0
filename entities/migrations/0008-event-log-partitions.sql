-- Makes partitions of es.event, p_size positions each, until they reach p_until; answers how far they reach then.
-- Attaching takes a lock that appends and reads do not wait for; "create table ... partition of" would stop both.
create function es.ensure_partitions(p_size bigint, p_until bigint) returns bigint
language plpgsql
as $$
declare
  covered bigint;
  part text;
begin
  perform pg_advisory_xact_lock(7462, 0); -- nodes take turns
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
