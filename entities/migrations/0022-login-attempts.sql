-- Failed logins, counted by account at one address, by account, and by address. Keys are hashes.
create table login_attempts (
  key text not null,
  failures integer not null,
  attempted_at timestamptz not null,
  -- No attempt is looked at before this.
  paused_until timestamptz,
  -- Set on the account-at-address row by a successful login: this address is the owner's.
  succeeded_at timestamptz,
  constraint login_attempts_pkey primary key (key)
);
create index login_attempts_attempted_at_idx on login_attempts (attempted_at);
