-- Who was forgotten: which erasures there were. Of a person who had no account nothing is known any more, so there is no name.
create table es.erasure (
  erasure_id uuid primary key,
  -- The account; null: whoever had a phone number.
  person_id uuid,
  erased_at timestamptz not null
);
create index erasure_person on es.erasure (person_id) where person_id is not null;

-- Puts the word "erased" in place of every personal text of the orders of these erasures, as a rebuild from the log would:
-- in the read model, and in the months that were detached from it.
create function erase_orders(p_erasures uuid[]) returns void
language plpgsql
as $$
declare
  month regclass;
begin
  for month in
    select 'orders'::regclass
    union all
    select c.oid::regclass from pg_class c
    where c.relnamespace = to_regnamespace('detached') and c.relkind = 'r' and c.relname ~ '^orders_\d{4}_\d{2}$'
  loop
    execute format(
      'update %s o set
         customer_name = case when customer_name is not null then ''erased'' end,
         customer_phone = case when customer_phone is not null then ''erased'' end,
         address = case when address is not null then ''erased'' end,
         notes = case when notes is not null then ''erased'' end,
         cancel_reason = case when cancel_reason is not null then ''erased'' end
       from es.data_key k
       where k.erasure_id = any ($1)
         and o.order_id = case when starts_with(k.stream_id, ''order-'') then substr(k.stream_id, 7)::uuid end',
      month) using p_erasures;
  end loop;
end
$$;
