-- Makes the partitions of these months (any day of them) where they are missing, in the schema that comes first in the
-- search path; tables that are not partitioned there need none. Attaching takes a lock that reads and writes do not wait
-- for; "create table ... partition of" would stop both.
create function ensure_order_partitions(p_months date[]) returns void
language plpgsql
as $$
declare
  home text := current_schema();
  first_day date;
  parent_name text;
  parent oid;
  part text;
begin
  for first_day in select distinct date_trunc('month', m)::date from unnest(p_months) m loop
    foreach parent_name in array array['orders', 'order_items'] loop
      part := parent_name || '_' || to_char(first_day, 'YYYY_MM');
      select c.oid into parent from pg_class c
        where c.relnamespace = home::regnamespace and c.relname = parent_name and c.relkind = 'p';
      continue when parent is null or order_partition_exists(parent, part);
      perform pg_advisory_xact_lock(7463, 0); -- nodes take turns
      continue when order_partition_exists(parent, part);
      execute format('create table %I.%I (like %I.%I including defaults including constraints)',
        home, part, home, parent_name);
      execute format('alter table %I.%I attach partition %I.%I for values from (%L) to (%L)',
        home, parent_name, home, part, first_day || ' 00:00+00', (first_day + interval '1 month')::date || ' 00:00+00');
    end loop;
  end loop;
end
$$;

create function order_partition_exists(p_parent oid, p_part text) returns boolean
language sql stable
as $$
  select exists (
    select from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = p_parent and c.relname = p_part
  )
$$;
