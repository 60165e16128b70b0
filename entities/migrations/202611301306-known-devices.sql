-- Guessing slows down who guesses, by device and address; that an address is the owner's is not kept any more.
-- Breaks older nodes: they read login_attempts.succeeded_at.
alter table users
  -- Devices that were known before this are known no more.
  add column if not exists devices_since timestamptz;
alter table login_attempts drop column if exists succeeded_at;
