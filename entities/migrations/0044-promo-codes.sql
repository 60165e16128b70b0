-- A code takes a percentage or an amount off an order's items total; valid in [valid_from, valid_until).
create table promo_codes (
  promo_id uuid not null,
  -- Kept in capitals; customers may type it in any case.
  code text not null,
  percent integer,
  amount_minor bigint,
  min_total_minor bigint not null default 0,
  valid_from timestamptz,
  valid_until timestamptz,
  active boolean not null default true,
  updated_at timestamptz not null default now(),
  -- Events in its stream.
  version integer not null default 0,
  constraint promo_codes_pkey primary key (promo_id),
  constraint promo_codes_code_key unique (code),
  constraint promo_codes_code_check check (code = upper(btrim(code)) and code <> ''),
  constraint promo_codes_benefit_check check (num_nonnulls(percent, amount_minor) = 1),
  constraint promo_codes_percent_check check (percent between 1 and 100),
  constraint promo_codes_amount_check check (amount_minor >= 0),
  constraint promo_codes_min_total_check check (min_total_minor >= 0),
  constraint promo_codes_interval_check check (valid_until > valid_from)
);
