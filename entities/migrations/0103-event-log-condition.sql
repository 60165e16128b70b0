-- Whether the log can be written to and is whole, as far as that can be told without reading it: where head is, which positions
-- lie in a partition that is not there (null: none), whether the event at head is there, and whether today's answers have a place.
create function es.condition() returns table (
  head bigint, missing_first bigint, missing_last bigint, newest_there boolean, answers_have_place boolean
)
language sql stable
as $$
  select l.head, m.first_pos, least(m.last_pos, greatest(l.head, m.first_pos)),
    l.head = 0
      or exists (select from es.event e where e.lane = l.lane and e.pos = l.head)
      or exists (select from es.segment s where s.archived_at is not null and l.head between s.first_pos and s.last_pos),
    exists (
      select from es.command_partition c
      join pg_class p on p.relname = c.table_name and p.relnamespace = 'es'::regnamespace and p.relispartition
      where c.from_at <= clock_timestamp() and c.until_at > clock_timestamp()
    )
  from es.lane l
  left join lateral (
    select s.first_pos, s.last_pos from es.missing_segments() s where s.first_pos <= l.head + 1 limit 1
  ) m on true
  where l.lane = 0
$$;
