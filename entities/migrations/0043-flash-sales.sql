-- A sale is in force exactly in [starts_at, ends_at): percent off, or a fixed price, for the named pizzas and sets.
create table flash_sales (
  sale_id uuid not null,
  name_ru text not null,
  name_en text not null,
  item_ids uuid[] not null,
  percent integer,
  price_minor bigint,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  updated_at timestamptz not null default now(),
  -- Events in its stream.
  version integer not null default 0,
  constraint flash_sales_pkey primary key (sale_id),
  constraint flash_sales_benefit_check check (num_nonnulls(percent, price_minor) = 1),
  constraint flash_sales_percent_check check (percent between 1 and 100),
  constraint flash_sales_price_check check (price_minor >= 0),
  constraint flash_sales_interval_check check (ends_at > starts_at)
);

create index flash_sales_ends_at_idx on flash_sales (ends_at);
