-- Who found a review helpful: each once.
create table review_votes (
  review_id uuid not null,
  user_id uuid not null,
  voted_at timestamptz not null,
  constraint review_votes_pkey primary key (review_id, user_id)
);
