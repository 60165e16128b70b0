/**
 * What Redis itself decides, so that it stays right when two nodes write for an instant. Sent as text each time: a Redis
 * that was restarted knows no script, and the text is small beside what it carries.
 */

/** A Redis whose clock differs by less shows a key's end as it was told: the same after a rebuild, to the millisecond. */
const CLOCKS_DIFFER_MS_MAX = 2_000;

/**
 * Seven arguments a write: key, field, guard, value, expires_at_ms, key beside, value beside (empty: none). A value that
 * carries no number, or a key of a foreign type, is not ours and gives way. ARGV[3]: milliseconds since the epoch, by the clock that
 * expires_at_ms is meant by; a Redis whose own clock is wrong keeps a key as long all the same.
 */
const WRITE = `
local time = redis.call('TIME')
local shift = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[3])
if math.abs(shift) < ${String(CLOCKS_DIFFER_MS_MAX)} then shift = 0 end
local function write(at)
  local key, field, guard, value, expires, beside, beside_value = unpack(ARGV, at, at + 6)
  if expires ~= '' then expires = string.format('%.0f', expires + shift) end
  local kept
  if field == '' then kept = redis.pcall('GET', key) else kept = redis.pcall('HGET', key, field) end
  if type(kept) == 'table' then
    redis.call('DEL', key)
    kept = false
  end
  if kept then
    local carried = string.match(kept, '"position":(%d+)}$') or string.match(kept, '^{"version":(%d+),')
    if carried and tonumber(carried) >= tonumber(guard) then return 0 end
  end
  if field ~= '' then
    redis.call('HSET', key, field, value)
  elseif expires == '' then
    redis.call('SET', key, value)
  else
    redis.call('SET', key, value, 'PXAT', expires)
  end
  if beside ~= '' then redis.call('SET', beside, beside_value, 'PXAT', expires) end
  return 1
end
local marker = redis.pcall('HMGET', KEYS[1], 'generation', 'state', 'position')
if marker.err or marker[1] ~= ARGV[1] or marker[2] ~= ARGV[2] then return { -1, 0 } end
local written = 0
`;

/**
 * KEYS: marker. ARGV: generation, state, now, then the writes. Answers {0, keys written}, or {-1, 0} when the marker is not of
 * this generation and state.
 */
export const WRITE_KEYS = `${WRITE}
for at = 4, #ARGV, 7 do written = written + write(at) end
return { 0, written }
`;

/**
 * One step along the log, whole or not at all. KEYS: marker. ARGV: generation, 'following', now, after, through, event id at
 * through, number of writes, the writes, then channel, text, position of each message. Answers {position of the mirror,
 * keys written}, or {-1, 0} as above. A mirror that is not at \`after\` yet has lost its last moments and is left as it is;
 * one that is further gets only what is new to it.
 */
export const STEP = `${WRITE}
local at = tonumber(marker[3])
local through = tonumber(ARGV[5])
if at < tonumber(ARGV[4]) or at >= through then return { at, 0 } end
local messages = 8 + 7 * tonumber(ARGV[7])
for i = 8, messages - 1, 7 do written = written + write(i) end
for i = messages, #ARGV, 3 do
  if tonumber(ARGV[i + 2]) > at then redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end
end
redis.call('HSET', KEYS[1], 'position', ARGV[5], 'event_id', ARGV[6])
return { through, written }
`;

/** KEYS: marker. ARGV: generation, 'rebuilding', position, event id. The rebuild is done. */
export const FINISH = `
local marker = redis.pcall('HMGET', KEYS[1], 'generation', 'state')
if marker.err or marker[1] ~= ARGV[1] or marker[2] ~= ARGV[2] then return { -1, 0 } end
redis.call('HSET', KEYS[1], 'state', 'following', 'position', ARGV[3], 'event_id', ARGV[4])
return { tonumber(ARGV[3]), 0 }
`;
