-- What the chain writes for its guests. Readers see those that are published.
create table posts (
  post_id uuid not null,
  -- Null: Forno's own, of the first start.
  author_id uuid,
  title_ru text not null,
  title_en text not null,
  body_ru text not null,
  body_en text not null,
  image text,
  status text not null default 'draft',
  -- When it was published for the first time.
  published_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Events in its stream.
  version integer not null,
  constraint posts_pkey primary key (post_id),
  constraint posts_status_check check (status in ('draft', 'published', 'archived')),
  constraint posts_published_check check (status <> 'published' or published_at is not null)
);

-- Lists go by this, newest first.
create index posts_listed_idx on posts (coalesce(published_at, created_at) desc, post_id desc);
