-- Everybody who can sign in. `version` is the version of the user's stream in the log.
create table users (
  user_id uuid not null,
  role text not null,
  status text not null,
  name text not null,
  -- Lower case, trimmed.
  email text,
  -- E.164.
  phone text,
  -- Lower case.
  username text,
  -- With its parameters inside; null: cannot sign in by password.
  password_hash text,
  -- Where staff work; null: everywhere, or not applicable.
  branch_ids uuid[],
  legal_entity_id uuid,
  version integer not null,
  -- The version that last changed what the user may do; tokens carry it, and older ones are refused.
  rights_version integer not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  constraint users_pkey primary key (user_id),
  constraint users_email_key unique (email),
  constraint users_username_key unique (username),
  constraint users_role_check check (role in ('super_admin', 'manager', 'technologist', 'cook', 'courier', 'customer')),
  constraint users_status_check check (status in ('active', 'blocked'))
);

-- The active super admins are counted before one of them may go.
create index users_role_idx on users (role, user_id);
-- A starting node asks who changed lately.
create index users_changed_at_idx on users (changed_at);
