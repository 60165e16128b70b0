-- How often a limited offer (a flash sale, a promo code) is used at the moment; filled from the log.
create table offer_uses (
  offer_id uuid not null,
  -- Units of a sale, orders of a promo code.
  used integer not null,
  -- Of the event that said so.
  position bigint not null,
  constraint offer_uses_pkey primary key (offer_id)
);
