-- Writes a deed that may repeat into the trail. Repeats on one day become one entry with a count. The first command
-- frees memory, so that people can read calls while the server's memory is full.
--
-- KEYS    audit_entries, audit_told, audit_share
-- FIELDS  part               of the trail
--         doer               whose share of a day's entries this counts against
--         what, same         what tells an entry of the doer from others
--         deed               JSON
--         rest               JSON of the entry that stands for all beyond the share
--         share              most entries of one doer on one day
--         kept_seconds       seconds that an entry stays
-- ANSWER  count              how often the deed was done, this time included
-- WRITES  always

local t = redis.call('TIME')
local now = whole(t[1] * 1000000 + t[2])
local day = whole(math.floor(t[1] / 86400))
redis.call('HDEL', audit_told_key, '')
local too_old = whole((t[1] - kept_seconds) * 1000000)
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', audit_entries_key, '-inf', too_old, 'LIMIT', 0, 100)) do
  redis.call('HDEL', audit_told_key, entry, entry .. '#', entry .. '@')
  redis.call('ZREM', audit_entries_key, entry)
end
local told = deed
local beyond = day .. ' ' .. doer .. ' ' .. what
local entry = beyond .. ' ' .. same
if not redis.call('ZSCORE', audit_entries_key, entry) then
  if redis.call('HGET', audit_share_key, 'day') ~= day then
    redis.call('DEL', audit_share_key)
    redis.call('HSET', audit_share_key, 'day', day)
  end
  if redis.call('HINCRBY', audit_share_key, part .. ' of ' .. doer, 1) > share then entry, told = beyond, rest end
end
redis.call('ZADD', audit_entries_key, now, entry)
redis.call('HSET', audit_told_key, entry, told)
redis.call('HSETNX', audit_told_key, entry .. '@', now)
for _, key in ipairs({audit_entries_key, audit_told_key, audit_share_key}) do
  redis.call('EXPIRE', key, kept_seconds)
end
return answer({count = redis.call('HINCRBY', audit_told_key, entry .. '#', 1)})
