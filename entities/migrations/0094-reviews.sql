-- What people say of dishes that they received. Texts live here and not in the log, so that they can be deleted.
create table reviews (
  review_id uuid not null,
  menu_item_id uuid not null,
  user_id uuid not null,
  -- The delivered order that entitles to it; null: taken over from elsewhere.
  order_id uuid,
  rating smallint not null,
  text text not null,
  helpful_count integer not null default 0,
  written_at timestamptz not null,
  edited_at timestamptz,
  -- Set while the desk keeps it from the shop.
  hidden_at timestamptz,
  hidden_by uuid,
  hidden_reason text,
  -- Events in its stream.
  version integer not null,
  constraint reviews_pkey primary key (review_id),
  constraint reviews_one_of_user_and_item unique (user_id, menu_item_id),
  constraint reviews_rating_check check (rating between 1 and 5),
  constraint reviews_helpful_count_check check (helpful_count >= 0)
);

-- Lists of a dish and the top of all, in the orders in which they are shown.
create index reviews_of_item_newest on reviews (menu_item_id, written_at, review_id) where hidden_at is null;
create index reviews_of_item_helpful on reviews (menu_item_id, helpful_count, written_at, review_id) where hidden_at is null;
create index reviews_newest on reviews (written_at, review_id);
create index reviews_helpful on reviews (helpful_count, written_at, review_id) where hidden_at is null;
