-- Branches for readers of SQL; a projection of their streams. Forno itself reads them from memory.
create table branches (
  branch_id uuid not null,
  code text not null,
  name jsonb not null,
  address jsonb not null,
  phone text,
  time_zone text not null,
  currency text not null,
  delivery_fee_minor bigint not null,
  free_delivery_from_minor bigint,
  is_default boolean not null,
  legal_entity_id uuid,
  slot_rules jsonb not null,
  version integer not null,
  constraint branches_pkey primary key (branch_id)
);
