create schema detached;
create schema es;

create table es.appender (
  appender uuid not null,
  batch bigint not null,
  head_before bigint not null,
  recorded_at timestamp with time zone not null,
  conflicts integer[] not null,
  duplicates integer[] not null,
  constraint appender_pkey PRIMARY KEY (appender)
) with (fillfactor=10);

create table es.checkpoint (
  name text collate "C" not null,
  partition smallint default '-1'::integer not null,
  pos bigint default 0 not null,
  updated_at timestamp with time zone default now() not null,
  event_id uuid,
  recorded_at timestamp with time zone,
  constraint checkpoint_partition_check CHECK (((partition >= '-1'::integer) AND (partition <= 15))),
  constraint checkpoint_pkey PRIMARY KEY (name, partition),
  constraint checkpoint_pos_check CHECK ((pos >= 0))
) with (fillfactor=50);

create table es.command (
  cmd_id uuid not null,
  pos bigint not null,
  answered_at timestamp with time zone not null,
  fingerprint text collate "C" not null,
  answer json not null
) partition by RANGE (answered_at);
CREATE INDEX command_cmd_id_idx ON ONLY es.command USING btree (cmd_id);

create table es.command_partition (
  table_name text not null,
  from_at timestamp with time zone not null,
  until_at timestamp with time zone not null,
  constraint command_partition_pkey PRIMARY KEY (table_name)
);

create table es.data_key (
  stream_id text collate "C" not null,
  key bytea,
  person_id uuid,
  phone_digest uuid,
  erasure_id uuid,
  constraint data_key_erased_whole CHECK ((((key IS NULL) = (erasure_id IS NOT NULL)) AND ((key IS NOT NULL) OR (num_nonnulls(person_id, phone_digest) = 0)))),
  constraint data_key_pkey PRIMARY KEY (stream_id)
);
CREATE INDEX data_key_erasure ON es.data_key USING btree (erasure_id) WHERE (erasure_id IS NOT NULL);
CREATE INDEX data_key_person ON es.data_key USING btree (person_id) WHERE (person_id IS NOT NULL);
CREATE INDEX data_key_phone ON es.data_key USING btree (phone_digest) WHERE (phone_digest IS NOT NULL);

create table es.erasure (
  erasure_id uuid not null,
  person_id uuid,
  erased_at timestamp with time zone not null,
  constraint erasure_pkey PRIMARY KEY (erasure_id)
);
CREATE INDEX erasure_person ON es.erasure USING btree (person_id) WHERE (person_id IS NOT NULL);

create table es.event (
  pos bigint not null,
  recorded_at timestamp with time zone not null,
  event_id uuid not null,
  version integer not null,
  lane smallint not null,
  partition smallint not null,
  schema_v smallint not null,
  stream_id text collate "C" not null,
  stream_type text collate "C" not null,
  type text collate "C" not null,
  data json not null,
  meta json not null,
  constraint event_partition_check CHECK (((partition >= 0) AND (partition <= 15))),
  constraint event_pkey PRIMARY KEY (lane, pos)
) partition by RANGE (pos);
CREATE INDEX event_stream ON ONLY es.event USING btree (stream_id, version);

create table es.job_run (
  name text collate "C" not null,
  last_at timestamp with time zone default now() not null,
  constraint job_run_pkey PRIMARY KEY (name)
) with (fillfactor=50);

create table es.lane (
  lane smallint not null,
  head bigint default 0 not null,
  constraint lane_head_check CHECK ((head >= 0)),
  constraint lane_pkey PRIMARY KEY (lane)
) with (fillfactor=10);

create table es.lineage_break (
  break_id uuid default gen_random_uuid() not null,
  found_at timestamp with time zone default clock_timestamp() not null,
  lost_after bigint not null,
  lost_to bigint not null,
  head bigint not null,
  timeline_before text not null,
  timeline_after text not null,
  constraint lineage_break_lost_after_check CHECK ((lost_after >= 0)),
  constraint lineage_break_pkey PRIMARY KEY (break_id),
  constraint lineage_break_range CHECK ((lost_to > lost_after))
);

create table es.secret (
  name text collate "C" not null,
  secret bytea not null,
  constraint secret_pkey PRIMARY KEY (name)
);

create table es.segment (
  first_pos bigint not null,
  last_pos bigint not null,
  table_name text not null,
  archived_at timestamp with time zone,
  file text,
  sha256 text,
  chunk_events integer,
  chunk_offsets bigint[],
  constraint segment_archived_whole CHECK ((num_nulls(archived_at, file, sha256, chunk_events, chunk_offsets) = ANY (ARRAY[0, 5]))),
  constraint segment_check CHECK ((last_pos >= first_pos)),
  constraint segment_pkey PRIMARY KEY (first_pos),
  constraint segment_table_name_key UNIQUE (table_name)
);

create table es.snapshot (
  stream_id text collate "C" not null,
  version integer not null,
  schema_v integer not null,
  state json not null,
  saved_at timestamp with time zone default now() not null,
  constraint snapshot_pkey PRIMARY KEY (stream_id)
);

create table es.stream (
  stream_id text collate "C" not null,
  lane smallint not null,
  type text collate "C" not null,
  version integer not null,
  first_pos bigint not null,
  last_pos bigint not null,
  constraint stream_pkey PRIMARY KEY (stream_id),
  constraint stream_version_check CHECK ((version > 0))
) with (fillfactor=80);

create table public.branches (
  branch_id uuid not null,
  code text not null,
  name jsonb not null,
  address jsonb not null,
  phone text,
  time_zone text not null,
  currency text not null,
  delivery_fee_minor bigint not null,
  free_delivery_from_minor bigint,
  is_default boolean not null,
  legal_entity_id uuid,
  slot_rules jsonb not null,
  version integer not null,
  constraint branches_pkey PRIMARY KEY (branch_id)
);

create table public.camera_event_requests (
  command_id uuid not null,
  fingerprint text not null,
  answer json not null,
  received_at timestamp with time zone not null,
  constraint camera_event_requests_pkey PRIMARY KEY (command_id)
);
CREATE INDEX camera_event_requests_by_time ON public.camera_event_requests USING brin (received_at);

create table public.camera_events (
  event_id uuid not null,
  received_at timestamp with time zone not null,
  event_type text not null,
  camera_id uuid not null,
  mac_address text not null,
  model text not null,
  branch_id uuid not null,
  complex_id text,
  occurred_at timestamp with time zone not null,
  data json not null,
  constraint camera_events_pkey PRIMARY KEY (event_id, received_at)
) partition by RANGE (received_at);
CREATE INDEX camera_events_by_branch ON ONLY public.camera_events USING btree (branch_id, event_id);
CREATE INDEX camera_events_by_camera ON ONLY public.camera_events USING btree (camera_id, event_id);

create table public.camera_keys (
  key_id uuid not null,
  branch_id uuid not null,
  name text not null,
  digest text not null,
  version integer not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint camera_keys_digest_key UNIQUE (digest),
  constraint camera_keys_pkey PRIMARY KEY (key_id)
);

create table public.cameras (
  camera_id uuid not null,
  mac_address text not null,
  model text not null,
  name text,
  settings json not null,
  branch_id uuid not null,
  complex_id text,
  enabled boolean not null,
  version integer not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint cameras_mac_address_check CHECK ((mac_address ~ '^([0-9A-F]{2}:){5}[0-9A-F]{2}$'::text)),
  constraint cameras_mac_address_key UNIQUE (mac_address),
  constraint cameras_pkey PRIMARY KEY (camera_id)
);
CREATE INDEX cameras_branch_idx ON public.cameras USING btree (branch_id, camera_id);

create table public.carts (
  cart_id uuid not null,
  user_id uuid,
  lines_count integer not null,
  checkout_at timestamp with time zone,
  changed_at timestamp with time zone not null,
  "position" bigint not null,
  constraint carts_pkey PRIMARY KEY (cart_id)
);
CREATE INDEX carts_checkouts_idx ON public.carts USING btree (checkout_at) WHERE (checkout_at IS NOT NULL);
CREATE INDEX carts_guests_idx ON public.carts USING btree (changed_at) WHERE (user_id IS NULL);

create table public.flash_sales (
  sale_id uuid not null,
  name_ru text not null,
  name_en text not null,
  item_ids uuid[] not null,
  percent integer,
  price_minor bigint,
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  updated_at timestamp with time zone default now() not null,
  version integer default 0 not null,
  limit_quantity integer,
  phase text default 'planned'::text not null,
  constraint flash_sales_benefit_check CHECK ((num_nonnulls(percent, price_minor) = 1)),
  constraint flash_sales_interval_check CHECK ((ends_at > starts_at)),
  constraint flash_sales_limit_check CHECK ((limit_quantity >= 1)),
  constraint flash_sales_percent_check CHECK (((percent >= 1) AND (percent <= 100))),
  constraint flash_sales_phase_check CHECK ((phase = ANY (ARRAY['planned'::text, 'running'::text, 'exhausted'::text, 'ended'::text]))),
  constraint flash_sales_pkey PRIMARY KEY (sale_id),
  constraint flash_sales_price_check CHECK ((price_minor >= 0))
);
CREATE INDEX flash_sales_ends_at_idx ON public.flash_sales USING btree (ends_at);
CREATE INDEX flash_sales_to_announce_idx ON public.flash_sales USING btree (sale_id) WHERE (phase <> 'ended'::text);

create table public.item_pairs (
  item_id uuid not null,
  also_id uuid not null,
  orders_count integer not null,
  constraint item_pairs_pkey PRIMARY KEY (item_id, also_id)
);

create table public.legal_entities (
  legal_entity_id uuid not null,
  name text not null,
  inn text not null,
  version integer not null,
  created_at timestamp with time zone not null,
  constraint legal_entities_inn_key UNIQUE (inn),
  constraint legal_entities_pkey PRIMARY KEY (legal_entity_id)
);

create table public.login_attempts (
  key text not null,
  failures integer not null,
  attempted_at timestamp with time zone not null,
  paused_until timestamp with time zone,
  constraint login_attempts_pkey PRIMARY KEY (key)
);
CREATE INDEX login_attempts_attempted_at_idx ON public.login_attempts USING btree (attempted_at);

create table public.menu_drafts (
  item_id uuid not null,
  kind text not null,
  change text not null,
  fields jsonb default '{}'::jsonb not null,
  edited_by text,
  edited_at timestamp with time zone not null,
  constraint menu_drafts_change_check CHECK ((change = ANY (ARRAY['create'::text, 'change'::text, 'delete'::text]))),
  constraint menu_drafts_kind_check CHECK ((kind = ANY (ARRAY['pizza'::text, 'set'::text, 'extra'::text]))),
  constraint menu_drafts_pkey PRIMARY KEY (item_id)
);

create table public.menu_head (
  only_row boolean default true not null,
  version integer not null,
  currency text not null,
  draft_edits integer default 0 not null,
  constraint menu_head_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint menu_head_only_row_check CHECK (only_row),
  constraint menu_head_pkey PRIMARY KEY (only_row)
);

create table public.menu_items (
  item_id uuid default gen_random_uuid() not null,
  kind text not null,
  name_ru text not null,
  name_en text not null,
  price_minor bigint not null,
  available boolean default true not null,
  image text,
  sort_order integer default 1000 not null,
  ingredients jsonb default '[]'::jsonb not null,
  extras uuid[] default '{}'::uuid[] not null,
  items jsonb default '[]'::jsonb not null,
  constraint menu_items_kind_check CHECK ((kind = ANY (ARRAY['pizza'::text, 'set'::text, 'extra'::text]))),
  constraint menu_items_pkey PRIMARY KEY (item_id)
);

create table public.menu_versions (
  version integer not null,
  document jsonb not null,
  published_at timestamp with time zone not null,
  published_by text,
  note text,
  cause text not null,
  restored_from integer,
  changed uuid[] not null,
  constraint menu_versions_pkey PRIMARY KEY (version),
  constraint menu_versions_restored_from_fkey FOREIGN KEY (restored_from) REFERENCES menu_versions(version)
);

create table public.migration_files (
  name text not null,
  sha256 text not null,
  breaks boolean not null,
  applied_at timestamp with time zone default now() not null,
  constraint migration_files_pkey PRIMARY KEY (name)
);

create table public.offer_uses (
  offer_id uuid not null,
  used integer not null,
  "position" bigint not null,
  constraint offer_uses_pkey PRIMARY KEY (offer_id)
);

create table public.open_baskets (
  order_id uuid not null,
  item_ids uuid[] not null,
  constraint open_baskets_pkey PRIMARY KEY (order_id)
);

create table public.order_items (
  order_id uuid not null,
  placed_at timestamp with time zone not null,
  line_no smallint not null,
  kind text not null,
  menu_item_id uuid not null,
  name_ru text not null,
  name_en text not null,
  quantity smallint not null,
  unit_price_minor bigint not null,
  list_price_minor bigint not null,
  flash_sale_id uuid,
  extras jsonb not null,
  exclude_ingredients jsonb not null,
  line_total_minor bigint not null,
  constraint order_items_pk PRIMARY KEY (order_id, placed_at, line_no)
) partition by RANGE (placed_at);

create table public.orders (
  order_id uuid not null,
  placed_at timestamp with time zone not null,
  branch_id uuid not null,
  display_id text not null,
  business_date date not null,
  channel text not null,
  fulfilment text not null,
  status text not null,
  user_id uuid,
  customer_name text,
  customer_phone text,
  address text,
  payment_method text not null,
  notes text,
  currency text not null,
  menu_version integer not null,
  items_total_minor bigint not null,
  delivery_fee_minor bigint not null,
  discount_minor bigint not null,
  total_minor bigint not null,
  promo_code text,
  preferred_time timestamp with time zone,
  track_token text not null,
  shares jsonb not null,
  ready_at timestamp with time zone not null,
  visible_at timestamp with time zone not null,
  preorder boolean not null,
  refunded_total_minor bigint not null,
  processed_at timestamp with time zone,
  processed_by uuid,
  cancel_reason text,
  closed_at timestamp with time zone,
  updated_at timestamp with time zone not null,
  "position" bigint not null,
  courier_id uuid,
  constraint orders_pk PRIMARY KEY (order_id, placed_at)
) partition by RANGE (placed_at);
CREATE INDEX orders_by_business_date ON ONLY public.orders USING brin (business_date) WITH (pages_per_range='16');
CREATE INDEX orders_by_display_id ON ONLY public.orders USING btree (reverse(display_id) text_pattern_ops);
CREATE INDEX orders_by_phone ON ONLY public.orders USING btree (reverse(customer_phone) text_pattern_ops) WHERE (customer_phone IS NOT NULL);
CREATE INDEX orders_by_phone_start ON ONLY public.orders USING btree (customer_phone text_pattern_ops) WHERE (customer_phone IS NOT NULL);
CREATE INDEX orders_by_time ON ONLY public.orders USING btree (placed_at, order_id);
CREATE INDEX orders_by_track_token ON ONLY public.orders USING btree (track_token);
CREATE INDEX orders_by_user ON ONLY public.orders USING btree (user_id, placed_at, order_id) WHERE (user_id IS NOT NULL);
CREATE INDEX orders_closed ON ONLY public.orders USING btree (closed_at) WHERE (status = ANY (ARRAY['delivered'::text, 'cancelled'::text]));
CREATE INDEX orders_of_courier ON ONLY public.orders USING btree (courier_id, closed_at) WHERE (courier_id IS NOT NULL);
CREATE INDEX orders_open ON ONLY public.orders USING btree (branch_id, placed_at, order_id) WHERE (status = ANY (ARRAY['pending'::text, 'preparing'::text, 'cooking'::text, 'ready'::text, 'delivery'::text]));
comment on column orders.shares is 'The slots that the order holds, in time order: slot_id, start, end, amount_minor';

create table public.post_view_counts (
  post_id uuid not null,
  views bigint not null,
  constraint post_view_counts_pkey PRIMARY KEY (post_id)
) with (fillfactor=50);

create table public.post_view_days (
  post_id uuid not null,
  day date not null,
  views bigint not null,
  constraint post_view_days_pkey PRIMARY KEY (post_id, day)
);
CREATE INDEX post_view_days_day_idx ON public.post_view_days USING btree (day, post_id);

create table public.post_view_inbox (
  inbox_id bigint generated as identity not null,
  post_id uuid not null,
  day date not null,
  views integer not null,
  constraint post_view_inbox_pkey PRIMARY KEY (inbox_id)
);

create table public.post_views (
  post_id uuid not null,
  user_id uuid not null,
  viewed_at timestamp with time zone not null,
  constraint post_views_pkey PRIMARY KEY (post_id, user_id)
);

create table public.posts (
  post_id uuid not null,
  author_id uuid,
  title_ru text not null,
  title_en text not null,
  body_ru text not null,
  body_en text not null,
  image text,
  status text default 'draft'::text not null,
  published_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  version integer not null,
  constraint posts_pkey PRIMARY KEY (post_id),
  constraint posts_published_check CHECK (((status <> 'published'::text) OR (published_at IS NOT NULL))),
  constraint posts_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'published'::text, 'archived'::text])))
);
CREATE INDEX posts_listed_idx ON public.posts USING btree (COALESCE(published_at, created_at) DESC, post_id DESC);

create table public.profiles (
  user_id uuid not null,
  name text not null,
  phone text,
  addresses jsonb default '[]'::jsonb not null,
  birthday date,
  language text default 'ru'::text not null,
  marketing_consent boolean default false not null,
  updated_at timestamp with time zone not null,
  version integer not null,
  constraint profiles_language_check CHECK ((language = ANY (ARRAY['ru'::text, 'en'::text]))),
  constraint profiles_pkey PRIMARY KEY (user_id)
);

create table public.promo_codes (
  promo_id uuid not null,
  code text not null,
  percent integer,
  amount_minor bigint,
  min_total_minor bigint default 0 not null,
  valid_from timestamp with time zone,
  valid_until timestamp with time zone,
  active boolean default true not null,
  updated_at timestamp with time zone default now() not null,
  version integer default 0 not null,
  limit_total integer,
  limit_per_user integer,
  first_order_only boolean default false not null,
  constraint promo_codes_amount_check CHECK ((amount_minor >= 0)),
  constraint promo_codes_benefit_check CHECK ((num_nonnulls(percent, amount_minor) = 1)),
  constraint promo_codes_code_check CHECK (((code = upper(btrim(code))) AND (code <> ''::text))),
  constraint promo_codes_code_key UNIQUE (code),
  constraint promo_codes_interval_check CHECK ((valid_until > valid_from)),
  constraint promo_codes_limit_per_user_check CHECK ((limit_per_user >= 1)),
  constraint promo_codes_limit_total_check CHECK ((limit_total >= 1)),
  constraint promo_codes_min_total_check CHECK ((min_total_minor >= 0)),
  constraint promo_codes_percent_check CHECK (((percent >= 1) AND (percent <= 100))),
  constraint promo_codes_pkey PRIMARY KEY (promo_id)
);

create table public.quota_holds (
  hold_id uuid not null,
  quota_id uuid not null,
  units integer not null,
  user_id uuid,
  command_id uuid not null,
  fingerprint text not null,
  order_id uuid,
  taken_at timestamp with time zone not null,
  constraint quota_holds_pkey PRIMARY KEY (hold_id)
);
CREATE INDEX quota_holds_open_idx ON public.quota_holds USING btree (taken_at, hold_id) WHERE (order_id IS NULL);

create table public.refresh_tokens (
  token_hash bytea not null,
  session_id uuid not null,
  issued_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  used_by uuid,
  constraint refresh_tokens_pkey PRIMARY KEY (token_hash),
  constraint refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(session_id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_session_id_idx ON public.refresh_tokens USING btree (session_id);

create table public.replica_heartbeats (
  publication text not null,
  beaten_at timestamp with time zone not null,
  "position" bigint not null,
  constraint replica_heartbeats_pkey PRIMARY KEY (publication)
) with (fillfactor=10);

create table public.review_votes (
  review_id uuid not null,
  user_id uuid not null,
  voted_at timestamp with time zone not null,
  constraint review_votes_pkey PRIMARY KEY (review_id, user_id)
);

create table public.reviews (
  review_id uuid not null,
  menu_item_id uuid not null,
  user_id uuid not null,
  order_id uuid,
  rating smallint not null,
  text text not null,
  helpful_count integer default 0 not null,
  written_at timestamp with time zone not null,
  edited_at timestamp with time zone,
  hidden_at timestamp with time zone,
  hidden_by uuid,
  hidden_reason text,
  version integer not null,
  constraint reviews_helpful_count_check CHECK ((helpful_count >= 0)),
  constraint reviews_one_of_user_and_item UNIQUE (user_id, menu_item_id),
  constraint reviews_pkey PRIMARY KEY (review_id),
  constraint reviews_rating_check CHECK (((rating >= 1) AND (rating <= 5)))
);
CREATE INDEX reviews_helpful ON public.reviews USING btree (helpful_count, written_at, review_id) WHERE (hidden_at IS NULL);
CREATE INDEX reviews_newest ON public.reviews USING btree (written_at, review_id);
CREATE INDEX reviews_of_item_helpful ON public.reviews USING btree (menu_item_id, helpful_count, written_at, review_id) WHERE (hidden_at IS NULL);
CREATE INDEX reviews_of_item_newest ON public.reviews USING btree (menu_item_id, written_at, review_id) WHERE (hidden_at IS NULL);

create table public.schema_migrations (
  id integer default nextval('schema_migrations_id_seq'::regclass) not null,
  "timestamp" bigint not null,
  name character varying not null,
  constraint "PK_62441bec32630ced9e4cccae336" PRIMARY KEY (id)
);

create table public.sessions (
  session_id uuid not null,
  user_id uuid not null,
  command_id uuid not null,
  fingerprint text not null,
  legal_entity_id uuid,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  revoked_because text,
  constraint sessions_command_id_key UNIQUE (command_id),
  constraint sessions_pkey PRIMARY KEY (session_id),
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE
);
CREATE INDEX sessions_expires_at_idx ON public.sessions USING btree (expires_at);
CREATE INDEX sessions_revoked_at_idx ON public.sessions USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);
CREATE INDEX sessions_user_id_idx ON public.sessions USING btree (user_id);

create table public.slots (
  slot_id text not null,
  branch_id uuid not null,
  business_date date not null,
  start_at timestamp with time zone not null,
  end_at timestamp with time zone not null,
  capacity_minor bigint not null,
  own_capacity_minor bigint,
  load_minor bigint not null,
  orders_count integer not null,
  delivery_count integer not null,
  pickup_count integer not null,
  delivery_plan integer,
  pickup_plan integer,
  disabled boolean not null,
  "position" bigint not null,
  constraint slots_pkey PRIMARY KEY (slot_id)
);
CREATE INDEX slots_branch_start_idx ON public.slots USING btree (branch_id, start_at);

create table public.users (
  user_id uuid not null,
  role text not null,
  status text not null,
  name text not null,
  email text,
  phone text,
  username text,
  password_hash text,
  branch_ids uuid[],
  legal_entity_id uuid,
  version integer not null,
  rights_version integer not null,
  created_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  devices_since timestamp with time zone,
  constraint users_email_key UNIQUE (email),
  constraint users_pkey PRIMARY KEY (user_id),
  constraint users_role_check CHECK ((role = ANY (ARRAY['super_admin'::text, 'manager'::text, 'technologist'::text, 'cook'::text, 'courier'::text, 'customer'::text]))),
  constraint users_status_check CHECK ((status = ANY (ARRAY['active'::text, 'blocked'::text]))),
  constraint users_username_key UNIQUE (username)
);
CREATE INDEX users_changed_at_idx ON public.users USING btree (changed_at);
CREATE INDEX users_role_idx ON public.users USING btree (role, user_id);

CREATE OR REPLACE FUNCTION es.append(p_lane smallint, p_appender uuid, p_batch bigint, p_unit_events integer[], p_stream_unit integer[], p_stream_id text, p_stream_type text, p_stream_expected integer[], p_stream_events integer[], p_stream_key bytea[], p_stream_person uuid[], p_stream_phone uuid[], p_event_unit integer[], p_event_partition smallint[], p_event_version integer[], p_event_schema_v smallint[], p_event_id uuid[], p_event_stream_id text, p_event_stream_type text, p_event_type text, p_event_data text, p_event_meta text, p_command_unit integer[], p_command_id uuid[], p_command_fingerprint text, p_command_answer text)
 RETURNS es.appender
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
 SET enable_mergejoin TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
AS $function$
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
    -- It may be here and nowhere else yet: its first commit waited for the synchronous standby when it was cut off. Whoever
    -- only reads waits for nobody, so this writes to the WAL, and its own commit waits for all that stands before it there.
    perform pg_logical_emit_message(true, 'forno', '');
    return result;
  end if;

  select p_appender, p_batch, l.head, clock_timestamp() into result.appender, result.batch, result.head_before, result.recorded_at
  from es.lane l where l.lane = p_lane;

  -- Scalar subqueries, because a join could be planned as a hash of the whole table.
  result.conflicts := array(
    select s.ord
    from unnest(string_to_array(p_stream_id, separator), p_stream_expected, p_stream_key)
      with ordinality as s (id, expected, key, ord)
    where s.expected <> coalesce((select t.version from es.stream t where t.stream_id = s.id), 0)
      or s.key = '' and (select k.key from es.data_key k where k.stream_id = s.id) is null
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

  if p_stream_key is not null then
    insert into es.data_key (stream_id, key, person_id, phone_digest)
    select s.id, s.key, s.person, s.phone
    from unnest(p_stream_unit, string_to_array(p_stream_id, separator), p_stream_key, p_stream_person, p_stream_phone)
      as s (unit, id, key, person, phone)
    where s.key <> '' and s.unit <> all (refused);
  end if;

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
$function$;

CREATE OR REPLACE FUNCTION es.condition()
 RETURNS TABLE(head bigint, missing_first bigint, missing_last bigint, missing_kept boolean, newest_there boolean, answers_have_place boolean)
 LANGUAGE sql
 STABLE
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION es.drop_commands(p_before timestamp with time zone)
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  part text;
  last_pos bigint;
begin
  -- Dropping stops appends for a moment; rather another time than a long wait.
  perform set_config('lock_timeout', '3s', true);
  perform pg_advisory_xact_lock(7462, 1);
  for part in select c.table_name from es.command_partition c where c.until_at <= p_before order by c.until_at loop
    execute format('select max(pos) from es.%I', part) into last_pos;
    continue when last_pos > (select min(pos) from es.checkpoint);
    execute format('drop table es.%I', part);
    delete from es.command_partition c where c.table_name = part;
    return next part;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION es.ensure_command_partitions(p_days integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  moment timestamptz;
  lower_at timestamptz;
  upper_at timestamptz;
  part text;
begin
  perform pg_advisory_xact_lock(7462, 1); -- nodes take turns
  foreach moment in array array[clock_timestamp(), clock_timestamp() + interval '1 day'] loop
    continue when exists (select from es.command_partition c where c.from_at <= moment and c.until_at > moment);
    lower_at := date_trunc('day', moment at time zone 'UTC') at time zone 'UTC';
    upper_at := lower_at + make_interval(days => p_days);
    -- Beside the others also where the clock has jumped: neither into the one before nor into the one after.
    select greatest(lower_at, max(c.until_at)) into lower_at from es.command_partition c where c.until_at <= moment;
    select least(upper_at, min(c.from_at)) into upper_at from es.command_partition c where c.from_at > moment;
    part := 'command_' || to_char(lower_at at time zone 'UTC', 'YYYY_MM_DD_HH24MISS');
    execute format('create table es.%I (like es.command including defaults including constraints including indexes)', part);
    execute format('alter table es.command attach partition es.%I for values from (%L) to (%L)', part, lower_at, upper_at);
    insert into es.command_partition values (part, lower_at, upper_at);
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION es.ensure_partitions(p_size bigint, p_until bigint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  covered bigint;
  part text;
  missing es.segment;
begin
  perform pg_advisory_xact_lock(7462, 0); -- nodes take turns
  for missing in select * from es.missing_segments() s where s.last_pos > (select max(head) from es.lane) loop
    if to_regclass(format('es.%I', missing.table_name)) is null then
      if missing.first_pos <= (select max(head) from es.lane) then
        raise 'the event log has lost positions % to %', missing.first_pos, (select max(head) from es.lane)
          using errcode = 'FO001', hint = 'Restore es.' || missing.table_name || ' from a backup.';
      end if;
      execute format('create table es.%I (like es.event including defaults including constraints)', missing.table_name);
    end if;
    execute format('alter table es.event attach partition es.%I for values from (%s) to (%s)',
      missing.table_name, missing.first_pos, missing.last_pos + 1);
  end loop;
  select coalesce(max(last_pos), 0) into covered from es.segment;
  while covered < p_until loop
    part := 'event_' || lpad((covered + 1)::text, 16, '0');
    execute format('create table es.%I (like es.event including defaults including constraints)', part);
    execute format('alter table es.event attach partition es.%I for values from (%s) to (%s)',
      part, covered + 1, covered + 1 + p_size);
    insert into es.segment (first_pos, last_pos, table_name) values (covered + 1, covered + p_size, part);
    covered := covered + p_size;
  end loop;
  return covered;
end
$function$;

CREATE OR REPLACE FUNCTION es.missing_segments()
 RETURNS SETOF es.segment
 LANGUAGE sql
 STABLE
AS $function$
  select s.* from es.segment s
  where s.archived_at is null and not exists (
    select from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'es.event'::regclass and c.relname = s.table_name
  )
  order by s.first_pos
$function$;

CREATE OR REPLACE FUNCTION public.camera_event_partition_exists(p_part text)
 RETURNS boolean
 LANGUAGE sql
AS $function$
  select exists (
    select from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'camera_events'::regclass and c.relname = p_part
  )
$function$;

CREATE OR REPLACE FUNCTION public.detach_order_partitions(p_before date)
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  month text;
  parent_name text;
  busy boolean;
begin
  -- Detaching stops reads and writes of the parent for a moment; rather another time than a long wait.
  perform set_config('lock_timeout', '3s', true);
  for month in
    select right(c.relname, 7) from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'orders'::regclass
      and right(c.relname, 7) < to_char(date_trunc('month', p_before::timestamp), 'YYYY_MM')
    order by 1
  loop
    execute format('select exists (select from %I where status <> ''archived'')', 'orders_' || month) into busy;
    continue when busy;
    foreach parent_name in array array['orders', 'order_items'] loop
      execute format('alter table %I detach partition %I', parent_name, parent_name || '_' || month);
      -- A rebuild of the read model brings detached months back: the newer copy stands.
      execute format('drop table if exists detached.%I', parent_name || '_' || month);
      execute format('alter table %I set schema detached', parent_name || '_' || month);
    end loop;
    return next month;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION public.drop_camera_events(p_before date)
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  day text;
begin
  -- Dropping stops reads and writes of the parent for a moment; rather another time than a long wait.
  perform set_config('lock_timeout', '3s', true);
  for day in
    select right(c.relname, 10) from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'camera_events'::regclass and right(c.relname, 10) < to_char(p_before, 'YYYY_MM_DD')
    order by 1
  loop
    execute format('drop table %I', 'camera_events_' || day);
    return next day;
  end loop;
  delete from camera_event_requests where received_at < p_before at time zone 'UTC';
end
$function$;

CREATE OR REPLACE FUNCTION public.ensure_camera_event_partitions(p_days date[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  day date;
  part text;
begin
  foreach day in array p_days loop
    part := 'camera_events_' || to_char(day, 'YYYY_MM_DD');
    continue when camera_event_partition_exists(part);
    perform pg_advisory_xact_lock(7463, 1); -- nodes take turns
    continue when camera_event_partition_exists(part);
    execute format('create table %I (like camera_events including defaults including constraints)', part);
    execute format('alter table camera_events attach partition %I for values from (%L) to (%L)',
      part, day || ' 00:00+00', (day + 1) || ' 00:00+00');
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION public.ensure_order_partitions(p_months date[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  home text := current_schema();
  first_day date;
  parent_name text;
  parent oid;
  part text;
begin
  for first_day in select distinct date_trunc('month', m)::date from unnest(p_months) m loop
    foreach parent_name in array array['orders', 'order_items'] loop
      part := parent_name || '_' || to_char(first_day, 'YYYY_MM');
      select c.oid into parent from pg_class c
        where c.relnamespace = home::regnamespace and c.relname = parent_name and c.relkind = 'p';
      continue when parent is null or order_partition_exists(parent, part);
      perform pg_advisory_xact_lock(7463, 0); -- nodes take turns
      continue when order_partition_exists(parent, part);
      execute format('create table %I.%I (like %I.%I including defaults including constraints)',
        home, part, home, parent_name);
      execute format('alter table %I.%I attach partition %I.%I for values from (%L) to (%L)',
        home, parent_name, home, part, first_day || ' 00:00+00', (first_day + interval '1 month')::date || ' 00:00+00');
    end loop;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION public.erase_orders(p_erasures uuid[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  month regclass;
begin
  for month in
    select 'orders'::regclass
    union all
    select c.oid::regclass from pg_class c
    where c.relnamespace = to_regnamespace('detached') and c.relkind = 'r' and c.relname ~ '^orders_\d{4}_\d{2}$'
  loop
    execute format(
      'update %s o set
         customer_name = case when customer_name is not null then ''erased'' end,
         customer_phone = case when customer_phone is not null then ''erased'' end,
         address = case when address is not null then ''erased'' end,
         notes = case when notes is not null then ''erased'' end,
         cancel_reason = case when cancel_reason is not null then ''erased'' end
       from es.data_key k
       where k.erasure_id = any ($1)
         and o.order_id = case when starts_with(k.stream_id, ''order-'') then substr(k.stream_id, 7)::uuid end',
      month) using p_erasures;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION public.order_partition_exists(p_parent oid, p_part text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = p_parent and c.relname = p_part
  )
$function$;
