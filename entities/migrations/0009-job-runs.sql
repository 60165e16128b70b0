-- When each job last ran, anywhere in the fleet: so that its interval holds for the chain, not for a node, and also over
-- restarts. Written at the beginning of a run, under the job's lock, and again at its end.
create table es.job_run (
  name text collate "C" primary key,
  last_at timestamptz not null default now()
) with (fillfactor = 50);
