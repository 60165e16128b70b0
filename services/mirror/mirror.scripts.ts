/**
 * What Redis itself decides, so that it stays right when two nodes write for an instant. Sent as text each time: a Redis
 * that was restarted knows no script, and the text is small beside what it carries.
 */

/**
 * Seven arguments a write: key, field, guard, value, expires_at_ms, key beside, value beside (empty: none). A value that
 * carries no number, or a key of a foreign type, is not ours and gives way.
 */
const WRITE = `
local function write(at)
  local key, field, guard, value, expires, beside, beside_value = unpack(ARGV, at, at + 6)
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
 * KEYS: marker. ARGV: generation, state, then the writes. Answers {0, keys written}, or {-1, 0} when the marker is not of
 * this generation and state.
 */
export const WRITE_KEYS = `${WRITE}
for at = 3, #ARGV, 7 do written = written + write(at) end
return { 0, written }
`;

/**
 * One step along the log, whole or not at all. KEYS: marker. ARGV: generation, 'following', after, through, event id at
 * through, number of writes, the writes, then channel, text, position of each message. Answers {position of the mirror,
 * keys written}, or {-1, 0} as above. A mirror that is not at \`after\` yet has lost its last moments and is left as it is;
 * one that is further gets only what is new to it.
 */
export const STEP = `${WRITE}
local at = tonumber(marker[3])
local through = tonumber(ARGV[4])
if at < tonumber(ARGV[3]) or at >= through then return { at, 0 } end
local messages = 7 + 7 * tonumber(ARGV[6])
for i = 7, messages - 1, 7 do written = written + write(i) end
for i = messages, #ARGV, 3 do
  if tonumber(ARGV[i + 2]) > at then redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end
end
redis.call('HSET', KEYS[1], 'position', ARGV[4], 'event_id', ARGV[5])
return { through, written }
`;

/** KEYS: marker. ARGV: generation, 'rebuilding', position, event id. The rebuild is done. */
export const FINISH = `
local marker = redis.pcall('HMGET', KEYS[1], 'generation', 'state')
if marker.err or marker[1] ~= ARGV[1] or marker[2] ~= ARGV[2] then return { -1, 0 } end
redis.call('HSET', KEYS[1], 'state', 'following', 'position', ARGV[3], 'event_id', ARGV[4])
return { tonumber(ARGV[3]), 0 }
`;
