-- The read model of orders: one row an order, partitioned by month of placed_at. The order room makes partitions ahead
-- and detaches those that hold nothing but archived orders.
create table orders (
  order_id uuid not null,
  placed_at timestamptz not null,
  branch_id uuid not null,
  display_id text not null,
  business_date date not null,
  channel text not null,
  fulfilment text not null,
  status text not null,
  user_id uuid,
  customer_name text,
  customer_phone text,
  address text,
  payment_method text not null,
  notes text,
  currency text not null,
  menu_version integer not null,
  items_total_minor bigint not null,
  delivery_fee_minor bigint not null,
  discount_minor bigint not null,
  total_minor bigint not null,
  promo_code text,
  preferred_time timestamptz,
  track_token text not null,
  shares jsonb not null,
  ready_at timestamptz not null,
  visible_at timestamptz not null,
  preorder boolean not null,
  refunded_total_minor bigint not null,
  processed_at timestamptz,
  processed_by uuid,
  cancel_reason text,
  closed_at timestamptz,
  updated_at timestamptz not null,
  -- Position of the newest event in this row: an event at or below it changes nothing.
  position bigint not null,
  constraint orders_pk primary key (order_id, placed_at)
) partition by range (placed_at);

comment on column orders.shares is 'The slots that the order holds, in time order: slot_id, start, end, amount_minor';

-- Pages of everything, in order.
create index orders_by_time on orders (placed_at, order_id);
-- What is in work: small whatever the history.
create index orders_open on orders (branch_id, placed_at, order_id)
  where status in ('pending', 'preparing', 'cooking', 'ready', 'delivery');
-- Rows lie nearly in the order of their days, so a block range index finds a day, and costs an insert next to nothing.
create index orders_by_business_date on orders using brin (business_date) with (pages_per_range = 16);
create index orders_by_display_id on orders (display_id);
-- A search gives the last digits of a number.
create index orders_by_phone on orders (reverse(customer_phone) text_pattern_ops) where customer_phone is not null;
create index orders_by_track_token on orders (track_token);
create index orders_by_user on orders (user_id, placed_at, order_id) where user_id is not null;
-- What the archive job looks for.
create index orders_closed on orders (closed_at) where status in ('delivered', 'cancelled');
