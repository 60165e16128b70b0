-- The courier who carried an order last: couriers see what they have delivered in this shift, and no other orders of the past.
alter table orders add column courier_id uuid;
create index orders_of_courier on orders (courier_id, closed_at) where courier_id is not null;
