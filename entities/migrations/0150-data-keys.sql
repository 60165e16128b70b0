-- Keys that personal data in the log is sealed with, one a stream. Who deletes a key has deleted what it seals, wherever
-- that was copied to: es.event, its archive, Kafka.
create table es.data_key (
  stream_id text collate "C" primary key,
  -- AES-256; null once erased. The row stays, so that nothing that is written later about the same thing is readable again.
  key bytea,
  -- Whose data it is: an account, a phone number (its keyed hash), or both. Erased together with the key.
  person_id uuid,
  phone_digest uuid,
  -- By which erasure the key went.
  erasure_id uuid,
  constraint data_key_erased_whole check (
    (key is null) = (erasure_id is not null) and (key is not null or num_nonnulls(person_id, phone_digest) = 0)
  )
);
create index data_key_person on es.data_key (person_id) where person_id is not null;
create index data_key_phone on es.data_key (phone_digest) where phone_digest is not null;
create index data_key_erasure on es.data_key (erasure_id) where erasure_id is not null;

-- Secrets of this chain that have to be the same on all nodes.
create table es.secret (
  name text collate "C" primary key,
  secret bytea not null
);

-- What es.data_key.phone_digest is keyed with: 244 bits from the server's strong randomness.
insert into es.secret (name, secret)
values ('phone digest', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
