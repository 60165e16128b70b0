import { RedisScript } from "../redis/redis-script";
import { TTL_MAX_MS } from "./cache-key";

/** Tags outlive every value that carries them, so that no value meets its tag as one that was never invalidated. */
const TAG_KEPT_S = (2 * TTL_MAX_MS) / 1000;
/** A computation that takes longer is not kept: what would have refused it may be forgotten by then. */
export const COMPUTING_MS_MAX = 600_000;

/**
 * Every script begins with this. KEYS[1] is the prefix, ARGV[1] the run id of the server, ARGV[2] a name that was never used.
 *
 * `<prefix>clock` holds the clock `n` of all invalidations and the `epoch`, a name that begins with it. Values and tags
 * of another epoch are void. A new epoch begins where the clock is missing (FLUSHALL) and where the server is another run: a
 * server that crashed or was replaced by its replica may have lost the last invalidations that it acknowledged.
 */
const PROLOGUE = `
local prefix, run = KEYS[1], ARGV[1]
local clock = prefix .. 'clock'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', clock, 'run', 'epoch', 'n', 'born', 'pattern_at')
if state[1] ~= run then
  state = {run, ARGV[2], 0, now, false}
  redis.call('DEL', clock)
  redis.call('HSET', clock, 'run', run, 'epoch', ARGV[2], 'n', 0, 'born', now)
  redis.call('EXPIRE', clock, ${String(TAG_KEPT_S)})
end
local epoch, n = state[2], tonumber(state[3])
local mine = epoch .. ':'
local function version(tag)
  local kept = redis.call('GET', prefix .. 't:' .. tag)
  if kept and kept:sub(1, #mine) == mine then return tonumber(kept:sub(#mine + 1)) end
  return nil
end
local function mark(tag, at)
  redis.call('SET', prefix .. 't:' .. tag, mine .. at, 'EX', ${String(TAG_KEPT_S)})
end
`;

/** Whether what is kept as `held` (epoch, n, tags, …) is still good. */
const GOOD = `
local function good(held)
  if held[1] ~= epoch then return false end
  local as_of = tonumber(held[2])
  for tag in held[3]:gmatch('[^\\n]+') do
    local v = version(tag)
    if not v or v > as_of then return false end
  end
  return true
end
`;

/**
 * ARGV: key, lock token ('' does not lock), lock ms, known tags …
 * A hit: 1, epoch, n, text, tags, age ms, ms to live. Else 0, epoch, n, and 1 when the lock was taken; known tags that were
 * missing have a version from now on, so that a value of before can never fit them.
 */
export const LOOK = new RedisScript(`${PROLOGUE}${GOOD}
local key, token = ARGV[3], ARGV[4]
local at = prefix .. 'v:' .. key
local held = redis.call('HMGET', at, 'epoch', 'n', 'tags', 'at', 'text')
if held[5] and good(held) then
  return {1, epoch, n, held[5], held[3], now - held[4], redis.call('PTTL', at)}
end
for i = 6, #ARGV do
  if not version(ARGV[i]) then mark(ARGV[i], n) end
end
if token == '' then return {0, epoch, n, 0} end
local locked = redis.call('SET', prefix .. 'l:' .. key, token, 'NX', 'PX', ARGV[5])
return {0, epoch, n, locked and 1 or 0}
`);

/** ARGV: keys … Those of them whose values would be served now. */
export const SERVED = new RedisScript(`${PROLOGUE}${GOOD}
local served = {}
for i = 3, #ARGV do
  local held = redis.call('HMGET', prefix .. 'v:' .. ARGV[i], 'epoch', 'n', 'tags')
  if held[3] and good(held) then served[#served + 1] = ARGV[i] end
end
return served
`);

/**
 * ARGV: key, lock token, epoch and n of the look, ms to live (0: nothing to keep), text, number of known tags, tags …
 * Gives the lock back. 1, epoch, n when nothing of it was invalidated since the look, and then it is kept; else 0, epoch, n.
 */
export const FINISH = new RedisScript(`${PROLOGUE}
local key, token, began, as_of, ttl, text, known = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
local lock = prefix .. 'l:' .. key
if token ~= '' and redis.call('GET', lock) == token then redis.call('DEL', lock) end
if epoch ~= began or tonumber(state[5] or 0) > as_of then return {0, epoch, n} end
local at = prefix .. 'v:' .. key
local before = redis.call('HMGET', at, 'epoch', 'n')
if before[1] == epoch and tonumber(before[2]) > as_of then return {0, epoch, n} end
for i = 10, #ARGV do
  local v = version(ARGV[i])
  if v and v > as_of or not v and i - 9 <= known then return {0, epoch, n} end
end
if ttl == 0 then return {1, epoch, n} end
local tags = {}
for i = 10, #ARGV do
  tags[#tags + 1] = ARGV[i]
  if version(ARGV[i]) then redis.call('EXPIRE', prefix .. 't:' .. ARGV[i], ${String(TAG_KEPT_S)})
  else mark(ARGV[i], as_of) end
end
redis.call('DEL', at)
redis.call('HSET', at, 'epoch', epoch, 'n', as_of, 'tags', table.concat(tags, '\\n'), 'at', now, 'text', text)
redis.call('PEXPIRE', at, ttl)
return {1, epoch, n}
`);

/**
 * ARGV: id of the message, this node, names …
 * One step of the clock, noted beside each name, and told to every node. epoch, n, ms since the epoch began, and the nodes that
 * may hold values in a first level.
 */
export const INVALIDATE = new RedisScript(`${PROLOGUE}
n = redis.call('HINCRBY', clock, 'n', 1)
redis.call('EXPIRE', clock, ${String(TAG_KEPT_S)})
for i = 5, #ARGV do
  local kind, name = ARGV[i]:sub(1, 2), ARGV[i]:sub(3)
  if kind == 't:' then mark(name, n)
  elseif kind == 'p:' then redis.call('HSET', clock, 'pattern_at', n)
  else
    local at = prefix .. 'v:' .. name
    redis.call('DEL', at)
    redis.call('HSET', at, 'epoch', epoch, 'n', n)
    redis.call('PEXPIRE', at, ${String(COMPUTING_MS_MAX)})
  end
end
redis.call('PUBLISH', prefix .. 'invalid', table.concat({ARGV[3], ARGV[4], epoch, n, unpack(ARGV, 5)}, '\\n'))
redis.call('ZREMRANGEBYSCORE', prefix .. 'nodes', '-inf', now)
return {epoch, n, now - state[4], unpack(redis.call('ZRANGE', prefix .. 'nodes', 0, -1))}
`);

/** ARGV: node, ms of membership, when it was sent. Enters a node, and sends it the clock through its own channel. */
export const JOIN = new RedisScript(`${PROLOGUE}
redis.call('ZADD', prefix .. 'nodes', now + ARGV[4], ARGV[3])
redis.call('EXPIRE', prefix .. 'nodes', ${String(TAG_KEPT_S)})
redis.call('EXPIRE', clock, ${String(TAG_KEPT_S)})
return redis.call('PUBLISH', prefix .. 'node:' .. ARGV[3], table.concat({'join', ARGV[5], epoch, n}, '\\n'))
`);
