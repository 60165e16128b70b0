-- Edits that wait for a publish; one an item. `fields` holds the whole item of a create, and only the named fields of a
-- change, so that a publish never undoes what happened to the other fields meanwhile.
create table menu_drafts (
  item_id uuid not null,
  kind text not null,
  change text not null,
  fields jsonb not null default '{}',
  edited_by text,
  edited_at timestamptz not null,
  constraint menu_drafts_pkey primary key (item_id),
  constraint menu_drafts_kind_check check (kind in ('pizza', 'set', 'extra')),
  constraint menu_drafts_change_check check (change in ('create', 'change', 'delete'))
);
