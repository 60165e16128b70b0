-- New views that are not in post_view_days yet: a row for each post in each batch, which nobody else waits for.
create table post_view_inbox (
  inbox_id bigint generated always as identity,
  post_id uuid not null,
  -- In UTC.
  day date not null,
  views integer not null,
  constraint post_view_inbox_pkey primary key (inbox_id)
);
