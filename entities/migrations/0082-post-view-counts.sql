-- Rows of post_views by post, exact at every moment: written in the same statement.
create table post_view_counts (
  post_id uuid not null,
  views bigint not null,
  constraint post_view_counts_pkey primary key (post_id)
) with (fillfactor = 50); -- rewritten all the time: leave room to do that within the page
