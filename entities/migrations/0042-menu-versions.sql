-- Every menu that was ever in force, whole and immutable.
create table menu_versions (
  version integer not null,
  document jsonb not null,
  published_at timestamptz not null,
  published_by text,
  note text,
  -- What made it: publish, reload, availability, rollback.
  cause text not null,
  restored_from integer,
  changed uuid[] not null,
  constraint menu_versions_pkey primary key (version),
  constraint menu_versions_restored_from_fkey foreign key (restored_from) references menu_versions (version)
);

-- One row: the version in force, which is also the length of the menu's stream. Its row lock is what makes writers of the menu take turns.
create table menu_head (
  only_row boolean not null default true,
  version integer not null,
  currency text not null,
  -- Events in the stream of the desk.
  draft_edits integer not null default 0,
  constraint menu_head_pkey primary key (only_row),
  constraint menu_head_only_row_check check (only_row),
  constraint menu_head_currency_check check (currency ~ '^[A-Z]{3}$')
);

insert into menu_head (version, currency) values (0, 'RUB');
