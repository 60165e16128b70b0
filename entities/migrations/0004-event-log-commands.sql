-- What each command was answered. The same id coming again gets the same answer. `json`, not `jsonb`: an answer is given
-- again as it was given first.
create table es.command (
  cmd_id uuid primary key,
  pos bigint not null,
  answered_at timestamptz not null,
  fingerprint text collate "C" not null,
  answer json not null
);
