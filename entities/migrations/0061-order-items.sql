-- The lines of orders, partitioned like the orders themselves.
create table order_items (
  order_id uuid not null,
  placed_at timestamptz not null,
  line_no smallint not null,
  kind text not null,
  menu_item_id uuid not null,
  name_ru text not null,
  name_en text not null,
  quantity smallint not null,
  unit_price_minor bigint not null,
  list_price_minor bigint not null,
  flash_sale_id uuid,
  extras jsonb not null,
  exclude_ingredients jsonb not null,
  line_total_minor bigint not null,
  constraint order_items_pk primary key (order_id, placed_at, line_no)
) partition by range (placed_at);
