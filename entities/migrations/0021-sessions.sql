-- One row a login: the family of its refresh tokens.
create table sessions (
  session_id uuid not null,
  user_id uuid not null,
  -- The login that opened it; a repeated login finds it again.
  command_id uuid not null,
  fingerprint text not null,
  legal_entity_id uuid,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  -- logout, reuse, password, blocked, operator.
  revoked_because text,
  constraint sessions_pkey primary key (session_id),
  constraint sessions_command_id_key unique (command_id),
  constraint sessions_user_id_fkey foreign key (user_id) references users (user_id) on delete cascade
);
create index sessions_user_id_idx on sessions (user_id);
create index sessions_expires_at_idx on sessions (expires_at);
create index sessions_revoked_at_idx on sessions (revoked_at) where revoked_at is not null;

-- Refresh tokens by their SHA-256: the token itself is stored nowhere.
create table refresh_tokens (
  token_hash bytea not null,
  session_id uuid not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  -- The command that used it: only its repetition may use it again.
  used_by uuid,
  constraint refresh_tokens_pkey primary key (token_hash),
  constraint refresh_tokens_session_id_fkey foreign key (session_id) references sessions (session_id) on delete cascade
);
create index refresh_tokens_session_id_idx on refresh_tokens (session_id);
