-- How often an offer may be used; null: as often as one likes.
alter table flash_sales
  -- Units sold at the sale's price, in all orders together.
  add column limit_quantity integer,
  -- What was said of it in the log last.
  add column phase text not null default 'planned',
  add constraint flash_sales_limit_check check (limit_quantity >= 1),
  add constraint flash_sales_phase_check check (phase in ('planned', 'running', 'exhausted', 'ended'));

-- What began or ended before anybody announced it is not announced late.
update flash_sales set phase =
  case when ends_at <= now() then 'ended' when starts_at <= now() then 'running' else 'planned' end;

create index flash_sales_to_announce_idx on flash_sales (sale_id) where phase <> 'ended';

alter table promo_codes
  add column limit_total integer,
  add column limit_per_user integer,
  add column first_order_only boolean not null default false,
  add constraint promo_codes_limit_total_check check (limit_total >= 1),
  add constraint promo_codes_limit_per_user_check check (limit_per_user >= 1);
