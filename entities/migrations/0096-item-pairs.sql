-- What is ordered together; a projection of the orders. Both directions of a pair have a row, so that "people who ordered
-- this also ordered" is one look-up. An order counts from its placement, and no more once it is cancelled.
create table item_pairs (
  item_id uuid not null,
  also_id uuid not null,
  orders_count integer not null,
  constraint item_pairs_pkey primary key (item_id, also_id)
);

-- What a cancellation would have to take back: the dishes of orders that can still be cancelled.
create table open_baskets (
  order_id uuid not null,
  item_ids uuid[] not null,
  constraint open_baskets_pkey primary key (order_id)
);
