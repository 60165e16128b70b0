-- Which event a consumer has come to, beside where it stood. Positions are given anew when the log goes back to an earlier point (a
-- standby that had not everything was promoted, a backup was restored); event ids may be, since they are derived from stream and
-- version. Null where nothing is known of the event: the checkpoint is older than this column, or at 0.
alter table es.checkpoint
  add column event_id uuid,
  add column recorded_at timestamptz;
