-- Where detached partitions go, tables and indexes: in a schema of their own their names are in nobody's way when a rebuild
-- of the read model makes the same months again.
create schema detached;

-- Takes the partitions of whole months before p_before out of the read model where they hold nothing but archived orders;
-- answers the months' names. The rows stay in detached.orders_YYYY_MM and detached.order_items_YYYY_MM until an operator
-- exports or drops them. A month with an order that was never closed stays where it is.
create function detach_order_partitions(p_before date) returns setof text
language plpgsql
as $$
declare
  month text;
  parent_name text;
  busy boolean;
begin
  -- Detaching stops reads and writes of the parent for a moment; rather another time than a long wait.
  perform set_config('lock_timeout', '3s', true);
  for month in
    select right(c.relname, 7) from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'orders'::regclass
      and right(c.relname, 7) < to_char(date_trunc('month', p_before::timestamp), 'YYYY_MM')
    order by 1
  loop
    execute format('select exists (select from %I where status <> ''archived'')', 'orders_' || month) into busy;
    continue when busy;
    foreach parent_name in array array['orders', 'order_items'] loop
      execute format('alter table %I detach partition %I', parent_name, parent_name || '_' || month);
      -- A rebuild of the read model brings detached months back: the newer copy stands.
      execute format('drop table if exists detached.%I', parent_name || '_' || month);
      execute format('alter table %I set schema detached', parent_name || '_' || month);
    end loop;
    return next month;
  end loop;
end
$$;
