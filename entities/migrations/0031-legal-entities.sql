-- Companies in whose name the branches sell. `version` is the version of the entity's stream in the log.
create table legal_entities (
  legal_entity_id uuid not null,
  name text not null,
  inn text not null,
  version integer not null,
  created_at timestamptz not null,
  constraint legal_entities_pkey primary key (legal_entity_id),
  constraint legal_entities_inn_key unique (inn)
);
