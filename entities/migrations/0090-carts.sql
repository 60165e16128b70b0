-- Which carts there are, for the jobs that end what was left; what is in them is in their streams.
create table carts (
  cart_id uuid not null,
  -- Null: a guest's.
  user_id uuid,
  lines_count integer not null,
  -- A checkout began then, and its end is not known yet.
  checkout_at timestamptz,
  changed_at timestamptz not null,
  position bigint not null,
  constraint carts_pkey primary key (cart_id)
);
create index carts_guests_idx on carts (changed_at) where user_id is null;
create index carts_checkouts_idx on carts (checkout_at) where checkout_at is not null;
