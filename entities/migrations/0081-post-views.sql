-- Who has viewed which post: one row for ever, and the truth of every count. A view is acknowledged when its row is committed.
-- No foreign key: it would cost a look at the post for each row, and a deleted post's rows are removed bit by bit.
create table post_views (
  post_id uuid not null,
  user_id uuid not null,
  viewed_at timestamptz not null,
  constraint post_views_pkey primary key (post_id, user_id)
);
