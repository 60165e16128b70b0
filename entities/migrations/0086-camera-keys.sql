-- Keys by which devices of a branch send their events. Of the key itself only a digest is kept.
create table camera_keys (
  key_id uuid not null,
  branch_id uuid not null,
  name text not null,
  -- SHA-256, hex.
  digest text not null,
  version integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint camera_keys_pkey primary key (key_id),
  constraint camera_keys_digest_key unique (digest)
);
