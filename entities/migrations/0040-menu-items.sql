-- The live rows of the menu. Made to be edited by hand in SQL: prices and json shapes are not constrained here, because
-- a reload checks every row with the rules of the trade and names the wrong ones, while the version in force stays.
create table menu_items (
  item_id uuid not null default gen_random_uuid(),
  kind text not null,
  name_ru text not null,
  name_en text not null,
  price_minor bigint not null,
  available boolean not null default true,
  image text,
  -- Place in the list of its kind; ties by item_id.
  sort_order integer not null default 1000,
  -- Pizzas: [{"name": {"ru": "…", "en": "…"}, "grams": 150}]
  ingredients jsonb not null default '[]',
  -- Pizzas: ids of the extras that may be added.
  extras uuid[] not null default '{}',
  -- Sets: [{"pizza_id": "…", "quantity": 1}]
  items jsonb not null default '[]',
  constraint menu_items_pkey primary key (item_id),
  constraint menu_items_kind_check check (kind in ('pizza', 'set', 'extra'))
);
