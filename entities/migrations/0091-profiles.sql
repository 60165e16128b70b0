-- What customers say of themselves to the shop. Email, password and role are the account's, in `users`.
create table profiles (
  user_id uuid not null,
  -- Taken over from the account when the profile is first written; theirs to change from then on.
  name text not null,
  phone text,
  addresses jsonb not null default '[]',
  birthday date,
  language text not null default 'ru',
  marketing_consent boolean not null default false,
  updated_at timestamptz not null,
  -- Events in its stream.
  version integer not null,
  constraint profiles_pkey primary key (user_id),
  constraint profiles_language_check check (language in ('ru', 'en'))
);
