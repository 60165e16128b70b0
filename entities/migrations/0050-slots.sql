-- The slot board: one row a slot that was ever booked or set; what the rules alone say is not stored. Values are absolute
-- copies of the newest event that touched the slot, which `position` names.
create table slots (
  slot_id text not null,
  branch_id uuid not null,
  business_date date not null,
  start_at timestamptz not null,
  end_at timestamptz not null,
  capacity_minor bigint not null,
  -- A capacity of the slot's own; null: the branch's rule applies, whatever it says by the time it is read.
  own_capacity_minor bigint,
  load_minor bigint not null,
  orders_count integer not null,
  delivery_count integer not null,
  pickup_count integer not null,
  delivery_plan integer,
  pickup_plan integer,
  disabled boolean not null,
  position bigint not null,
  constraint slots_pkey primary key (slot_id)
);
create index slots_branch_start_idx on slots (branch_id, start_at);
