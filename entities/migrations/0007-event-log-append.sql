-- Appends a batch of units in one statement: the only writer of es.lane, es.stream, es.event and es.command.
--
-- A unit commits whole or not at all: when one of its streams (or guards: streams with 0 events) is not at its expected
-- version it is a conflict, when one of its commands was answered before it is a duplicate, and the other units go on.
-- No stream may be written twice, nor be written and then guarded or expected by a later unit, nor may a command come
-- twice in a batch: every unit is checked against the state before the batch. The caller defers such units.
--
-- Arrays run parallel: one element a unit, a stream, an event, a command; p_*_unit counts units from 1. Streams come in
-- the order of their events. Texts are joined with U+001E, which neither JSON nor a stream id contains, because taking
-- them apart here is much cheaper than the quoting rules of array literals on both sides.
--
-- p_appender and p_batch make a repetition harmless (see es.appender); null when the caller's own transaction is around.
create function es.append(
  p_lane smallint, p_appender uuid, p_batch bigint,
  p_unit_events integer[],
  p_stream_unit integer[], p_stream_id text, p_stream_type text, p_stream_expected integer[], p_stream_events integer[],
  p_event_unit integer[], p_event_partition smallint[], p_event_version integer[], p_event_schema_v smallint[],
  p_event_id uuid[], p_event_stream_id text, p_event_stream_type text, p_event_type text, p_event_data text,
  p_event_meta text,
  p_command_unit integer[], p_command_id uuid[], p_command_fingerprint text, p_command_answer text
) returns es.appender
language plpgsql
-- The statements are planned once, maybe while the tables are empty: these keep the plan to index look-ups.
set enable_seqscan = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  separator constant text := e'\x1e';
  result es.appender;
  refused integer[];
  head_after bigint;
begin
  -- Every statement here must see what was committed before the lock was granted.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise 'es.append needs READ COMMITTED, not %', current_setting('transaction_isolation');
  end if;
  perform pg_advisory_xact_lock(7461, p_lane);

  select a.* into result from es.appender a where a.appender = p_appender and a.batch >= p_batch;
  if found then
    return result;
  end if;

  select p_appender, p_batch, l.head, clock_timestamp() into result.appender, result.batch, result.head_before, result.recorded_at
  from es.lane l where l.lane = p_lane;

  -- Scalar subqueries, because a join could be planned as a hash of the whole table.
  result.conflicts := array(
    select s.ord
    from unnest(string_to_array(p_stream_id, separator), p_stream_expected) with ordinality as s (id, expected, ord)
    where s.expected <> coalesce((select t.version from es.stream t where t.stream_id = s.id), 0)
  );
  result.duplicates := array(
    select c.unit
    from unnest(p_command_unit, p_command_id) as c (unit, id)
    where (select k.pos from es.command k where k.cmd_id = c.id) is not null
  );
  refused := result.duplicates || array(select p_stream_unit[n] from unnest(result.conflicts) as n);

  insert into es.event (lane, pos, recorded_at, partition, version, schema_v, event_id, stream_id, stream_type, type, data, meta)
  select p_lane, result.head_before + row_number() over (order by e.ord), result.recorded_at,
    e.partition, e.version, e.schema_v, e.id, e.stream_id, e.stream_type, e.type, e.data::json, e.meta::json
  from unnest(p_event_unit, p_event_partition, p_event_version, p_event_schema_v, p_event_id,
    string_to_array(p_event_stream_id, separator), string_to_array(p_event_stream_type, separator),
    string_to_array(p_event_type, separator), string_to_array(p_event_data, separator),
    string_to_array(p_event_meta, separator)
  ) with ordinality as e (unit, partition, version, schema_v, id, stream_id, stream_type, type, data, meta, ord)
  where e.unit <> all (refused);

  insert into es.stream (stream_id, lane, type, version, first_pos, last_pos)
  select s.id, p_lane, s.type, s.expected + s.events, s.last_pos - s.events + 1, s.last_pos
  from (
    select s.*, result.head_before + sum(s.events) over (order by s.ord) as last_pos
    from unnest(p_stream_unit, string_to_array(p_stream_id, separator), string_to_array(p_stream_type, separator),
      p_stream_expected, p_stream_events) with ordinality as s (unit, id, type, expected, events, ord)
    where s.unit <> all (refused)
  ) s
  where s.events > 0
  on conflict (stream_id) do update set version = excluded.version, last_pos = excluded.last_pos;

  insert into es.command (cmd_id, pos, answered_at, fingerprint, answer)
  -- One empty text cannot be told from no text: the fingerprint of a lone command may be empty.
  select c.id, u.last_pos, result.recorded_at, coalesce(c.fingerprint, ''), c.answer::json
  from unnest(p_command_unit, p_command_id, string_to_array(p_command_fingerprint, separator),
    string_to_array(p_command_answer, separator)) as c (unit, id, fingerprint, answer)
  join (
    select u.unit, result.head_before + sum(u.events) over (order by u.unit) as last_pos
    from unnest(p_unit_events) with ordinality as u (events, unit)
    where u.unit <> all (refused)
  ) u on u.unit = c.unit;

  select result.head_before + coalesce(sum(u.events), 0) into head_after
  from unnest(p_unit_events) with ordinality as u (events, unit) where u.unit <> all (refused);
  if head_after > result.head_before then
    update es.lane set head = head_after where lane = p_lane;
    -- Once a batch: once an event costs most of the throughput.
    perform pg_notify('es_appended', coalesce(p_appender::text, ''));
  end if;

  if p_appender is not null then
    insert into es.appender select result.*
    on conflict (appender) do update set batch = excluded.batch, head_before = excluded.head_before,
      recorded_at = excluded.recorded_at, conflicts = excluded.conflicts, duplicates = excluded.duplicates;
  end if;
  return result;
end
$$;
