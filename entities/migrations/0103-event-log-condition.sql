-- Whether the log can be written to and is whole, as far as that can be told without reading it: where head is, which positions
-- lie in a partition that is not attached (null: none) and whether its table is there, whether the event at head is, and whether today's answers have a place.
create function es.condition() returns table (
  head bigint, missing_first bigint, missing_last bigint, missing_kept boolean, newest_there boolean, answers_have_place boolean
)
language sql stable
as $$
  select l.head, m.first_pos, least(m.last_pos, greatest(l.head, m.first_pos)),
    to_regclass('es.' || quote_ident(m.table_name)) is not null,
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
    select s.first_pos, s.last_pos, s.table_name from es.missing_segments() s where s.first_pos <= l.head + 1 limit 1
  ) m on true
  where l.lane = 0
$$;
