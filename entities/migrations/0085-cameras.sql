-- The registry of cameras. `version` is the version of the camera's stream in the log.
create table cameras (
  camera_id uuid not null,
  -- As AA:BB:CC:DD:EE:FF.
  mac_address text not null,
  model text not null,
  name text,
  settings json not null,
  branch_id uuid not null,
  complex_id text,
  enabled boolean not null,
  version integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint cameras_pkey primary key (camera_id),
  constraint cameras_mac_address_key unique (mac_address),
  constraint cameras_mac_address_check check (mac_address ~ '^([0-9A-F]{2}:){5}[0-9A-F]{2}$')
);

create index cameras_branch_idx on cameras (branch_id, camera_id);
