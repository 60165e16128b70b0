-- What is taken of limited offers, one row an order and offer; filled from the log. What is given back is gone.
create table quota_holds (
  hold_id uuid not null,
  quota_id uuid not null,
  units integer not null,
  user_id uuid,
  -- The command that was to place the order.
  command_id uuid not null,
  fingerprint text not null,
  -- Null until that order is known to have been placed.
  order_id uuid,
  taken_at timestamptz not null,
  constraint quota_holds_pkey primary key (hold_id)
);

-- What the sweep looks for: a handful, whatever was sold.
create index quota_holds_open_idx on quota_holds (taken_at, hold_id) where order_id is null;
