-- Makes the partitions of es.command for answers of today and of the next day where they are missing, of p_days each at most.
-- Attaching takes a lock that appends and reads do not wait for.
create function es.ensure_command_partitions(p_days integer) returns void
language plpgsql
as $$
declare
  moment timestamptz;
  lower_at timestamptz;
  upper_at timestamptz;
  part text;
begin
  perform pg_advisory_xact_lock(7462, 1); -- nodes take turns
  foreach moment in array array[clock_timestamp(), clock_timestamp() + interval '1 day'] loop
    continue when exists (select from es.command_partition c where c.from_at <= moment and c.until_at > moment);
    lower_at := date_trunc('day', moment at time zone 'UTC') at time zone 'UTC';
    upper_at := lower_at + make_interval(days => p_days);
    -- Beside the others also where the clock has jumped: neither into the one before nor into the one after.
    select greatest(lower_at, max(c.until_at)) into lower_at from es.command_partition c where c.until_at <= moment;
    select least(upper_at, min(c.from_at)) into upper_at from es.command_partition c where c.from_at > moment;
    part := 'command_' || to_char(lower_at at time zone 'UTC', 'YYYY_MM_DD_HH24MISS');
    execute format('create table es.%I (like es.command including defaults including constraints including indexes)', part);
    execute format('alter table es.command attach partition es.%I for values from (%L) to (%L)', part, lower_at, upper_at);
    insert into es.command_partition values (part, lower_at, upper_at);
  end loop;
end
$$;

-- Drops partitions of es.command whose answers are all older than p_before; answers their names. One stays whose commands some
-- process has not passed: cut off, it would send them again, and the answer is what keeps them from being done twice.
create function es.drop_commands(p_before timestamptz) returns setof text
language plpgsql
as $$
declare
  part text;
  last_pos bigint;
begin
  -- Dropping stops appends for a moment; rather another time than a long wait.
  perform set_config('lock_timeout', '3s', true);
  perform pg_advisory_xact_lock(7462, 1);
  for part in select c.table_name from es.command_partition c where c.until_at <= p_before order by c.until_at loop
    execute format('select max(pos) from es.%I', part) into last_pos;
    continue when last_pos > (select min(pos) from es.checkpoint);
    execute format('drop table es.%I', part);
    delete from es.command_partition c where c.table_name = part;
    return next part;
  end loop;
end
$$;
