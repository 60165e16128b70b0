-- New views by day, as far as they are synchronised; the rest is in post_view_inbox.
create table post_view_days (
  post_id uuid not null,
  -- In UTC.
  day date not null,
  views bigint not null,
  constraint post_view_days_pkey primary key (post_id, day)
);

-- For what was viewed most in the last days.
create index post_view_days_day_idx on post_view_days (day, post_id);
