import { RedisScript } from "../../mixins/redis/redis-script";

/**
 * What Redis decides about views. Two keys a post: the set `post:{id}:views` of those who are known to be counted, and the
 * hash `post:{id}:views:count`:
 *
 * - `log`: the database that both are about. Whatever belongs to another one is thrown away.
 * - `run`, `epoch`: the server's run, and a name that was used once. A sum is taken up only under the epoch in which it was
 *   asked for, so neither a flush nor a server that lost its last second can be followed by a sum of before.
 * - `n`, `at_ms`: the sum, and by this server's clock when it was asked for, before the database was.
 */

/** The run id changes with every start, also when an append-only file brings the data back without their last second. */
const RUN = `local run = redis.call('INFO', 'server'):match('run_id:(%w+)')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * KEYS: set and hash of each post. ARGV: log, new epoch, ms to keep what nobody has confirmed yet, ms for which a sum is good,
 * then for each post how many users, and the users. Answers for each post: its epoch, its sum (-1: ask the database), 1 when nothing was known of it, and
 * a 1 or 0 for each user, and at the end the time.
 */
export const LOOK = new RedisScript(`${RUN}
local log, fresh, brief, good = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local at, reply = 5, {}
for i = 1, #KEYS, 2 do
  local set, hash = KEYS[i], KEYS[i + 1]
  local kept = redis.pcall('HMGET', hash, 'log', 'run', 'epoch', 'n', 'at_ms')
  local is_new = 0
  if kept.err or kept[1] ~= log then
    redis.call('DEL', set, hash)
    kept, is_new = {}, 1
  end
  if kept[2] ~= run then
    kept = { log, run, fresh }
    redis.call('DEL', hash)
    redis.call('HSET', hash, 'log', log, 'run', run, 'epoch', fresh)
    redis.call('PEXPIRE', hash, brief)
  end
  local sum = -1
  if kept[4] and now - tonumber(kept[5]) < good then sum = tonumber(kept[4]) end
  local users = tonumber(ARGV[at])
  local seen = ''
  if users > 0 then
    local members = redis.pcall('SMISMEMBER', set, unpack(ARGV, at + 1, at + users))
    if members.err then
      redis.call('DEL', set)
      seen = string.rep('0', users)
    else
      seen = table.concat(members)
    end
  end
  at = at + users + 1
  reply[#reply + 1] = { kept[3], sum, is_new, seen }
end
reply[#reply + 1] = now
return reply
`);

/**
 * KEYS as above. ARGV: most members of a set, ms to keep what is brief still, and how long that is, then for each post its epoch, its sum (-1: none), when it was asked for, how many
 * users, and the users: people whose views are durable. What comes under another epoch is passed over.
 */
export const NOTE = new RedisScript(`
local members_max, keep, brief, at = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), 4
for i = 1, #KEYS, 2 do
  local set, hash = KEYS[i], KEYS[i + 1]
  local epoch, sum, asked, users = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local kept = redis.pcall('HMGET', hash, 'epoch', 'n', 'at_ms')
  if not kept.err and kept[1] == epoch then
    if redis.call('PTTL', hash) <= brief then
      redis.call('PEXPIRE', hash, keep)
      redis.call('PEXPIRE', set, keep)
    end
    local n = tonumber(kept[2] or -1)
    if sum >= n and sum >= 0 then redis.call('HSET', hash, 'n', sum, 'at_ms', math.max(asked, tonumber(kept[3] or 0))) end
    if users > 0 and redis.call('SCARD', set) < members_max then
      redis.call('SADD', set, unpack(ARGV, at + 4, at + 3 + users))
      if redis.call('PTTL', set) < 0 then redis.call('PEXPIRE', set, redis.call('PTTL', hash)) end
    end
  end
  at = at + 4 + users
end
`);
